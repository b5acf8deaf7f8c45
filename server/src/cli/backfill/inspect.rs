//! `projections verify`: live rows compared with the ledger, and single rows put right.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use headwater::EventStore;
use headwater_projections::GROUP;
use headwater_projections::backfill::{
    BackfillError, Inspection, Progress, Repaired, Verdict, Verified, Verify,
};
use headwater_store_kinesis::KinesisStore;
use serde_json::json;

use super::arguments::size;
use super::run::{RunError, exit_of};
use super::show::Show;
use crate::cli::confirm::{confirm, yes};
use crate::cli::context::{Context, dev_argument};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::exit::{Exit, complain};
use crate::rebuild::{stores, target};

/// The command.
pub(in crate::cli) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let key = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("KEY").value_parser(value_parser!(String)).help(help)
    };
    Command::new("verify")
        .about("Compare live rows with a fold of the ledger; exits with 7 when one differs")
        .args([
            Arg::new("projection").value_name("PROJECTION").required(true).help("The read model"),
            flag("sample", "Compare 200 rows by chance; the default").conflicts_with("all"),
            flag("all", "Compare every row"),
            key("only", "Compare this row, and say how it stands")
                .conflicts_with_all(["sample", "all", "repair"]),
            key("repair", "Write this row anew from the ledger, if it differs or is behind")
                .conflicts_with_all(["sample", "all"]),
            Arg::new("memory")
                .long("memory")
                .value_name("SIZE")
                .value_parser(size)
                .default_value("1GiB")
                .help("What rows of a projection that many streams feed may take in memory"),
            yes(),
            dev_argument(),
        ])
}

/// Compares, or puts right.
pub(in crate::cli) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    match inspect(context, arguments).await {
        Ok(exit) => Ok(exit),
        Err(RunError::Cli(error)) => Err(error),
        Err(error) => {
            complain(&error);
            Ok(match &error {
                RunError::Backfill(BackfillError::OtherVersion { .. } | BackfillError::PassedOver { .. }) => {
                    Exit::Conflict
                }
                error => exit_of(error),
            })
        }
    }
}

async fn inspect(context: &Context, arguments: &ArgMatches) -> Result<Exit, RunError> {
    let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
    let projection = text("projection").unwrap_or_default();
    let target = target(context.app.kept(), projection)?;
    if let Some(key) = text("repair") {
        confirm(arguments, &format!("row {key:?} of {projection} will be written anew from the ledger"))?;
    }
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&context.config.settings.feed);
    let store = Arc::new(KinesisStore::open(&connection.clients, &config));
    let (rows, leases) = stores(&connection);
    let progress = Arc::new(Progress::default());
    let inspection = Inspection {
        target,
        ledger: Arc::clone(&store) as Arc<dyn EventStore>,
        rows,
        leases,
        group: GROUP.into(),
        memory_bytes: *arguments.get_one("memory").expect("it has a default"),
        progress: Arc::clone(&progress),
    };
    let which = if arguments.get_flag("all") { Verify::All } else { Verify::Sample };
    let mut show = Show::start(progress, context.output);
    let mut work = Box::pin(async {
        Ok::<_, BackfillError>(match (text("repair"), text("only")) {
            (Some(key), _) => Done::Repaired(key, inspection.repair(key).await?),
            (_, Some(key)) => Done::Looked(key, inspection.look(key).await?),
            _ => Done::Verified(inspection.verify(which).await?),
        })
    });
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            () = show.tick() => {}
        }
    };
    drop(work);
    show.end();
    store.close().await;
    Ok(tell(context, projection, &done?)?)
}

enum Done<'a> {
    Repaired(&'a str, Repaired),
    Looked(&'a str, Verdict),
    Verified(Verified),
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
fn tell(context: &Context, projection: &str, done: &Done<'_>) -> Result<Exit, CliError> {
    let human = context.output == Output::Human;
    match done {
        Done::Verified(found) => {
            if human {
                for difference in &found.differences {
                    println!("{difference}");
                }
                let Verified { generation, compared, different, behind, moving, passed_over, .. } = found;
                println!(
                    "{projection}: {compared} rows of generation {generation} compared, {different} differ, {behind} are \
                     behind; {moving} moved all the time, {passed_over} have events that were passed over by order"
                );
            } else {
                context.print(&json!({"projection": projection, "verified": found}))?;
            }
            Ok(if found.different == 0 { Exit::Done } else { Exit::Differences })
        }
        Done::Looked(key, verdict) => {
            let exit = if matches!(verdict, Verdict::Differs(_)) { Exit::Differences } else { Exit::Done };
            if !human {
                context.print(&json!({"projection": projection, "key": key, "verdict": verdict}))?;
                return Ok(exit);
            }
            match verdict {
                Verdict::Differs(difference) => println!("{difference}"),
                Verdict::Same => println!("row {key:?} is what the ledger gives"),
                Verdict::Behind => {
                    println!("row {key:?} is right as far as it is; the ledger has later events")
                }
                Verdict::Moving => println!("row {key:?} changed whenever it was looked at: ask again"),
                Verdict::PassedOver => {
                    println!("events of row {key:?} were passed over by order, so it cannot be compared");
                }
            }
            Ok(exit)
        }
        Done::Repaired(key, repaired) => {
            match (&repaired.difference, human) {
                (_, false) => {
                    context.print(&json!({"projection": projection, "key": key, "repaired": repaired}))?;
                }
                (None, _) => println!("row {key:?} is what the ledger gives: nothing was written"),
                (Some(difference), _) => {
                    println!("{difference}");
                    println!("row {key:?} was written anew, at revision {}", repaired.revision);
                }
            }
            Ok(Exit::Done)
        }
    }
}
