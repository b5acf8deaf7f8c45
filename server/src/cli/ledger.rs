//! `ledger`: brought back from the archive, and compared with it, without a server.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use headwater::EventStore;
use headwater_archive::{Archive, Comparison, Restored, compare, restore};
use headwater_store_kinesis::KinesisStore;
use serde_json::{Value, json};

use super::archive::unusable;
use super::context::{Context, dev_argument};
use super::error::CliError;
use crate::archive::archive;
use crate::exit::Exit;

/// Commits between two lines of progress.
const LINE_EVERY: u64 = 10_000;

pub(super) fn command() -> Command {
    let resume = Arg::new("resume")
        .long("resume")
        .action(ArgAction::SetTrue)
        .help("Go on with a restore that was interrupted");
    Command::new("ledger").about("The ledger as a whole").subcommand_required(true).subcommands([
        Command::new("restore")
            .about("Write every commit of the archive into an empty ledger, exactly as it was")
            .args([resume, dev_argument()]),
        Command::new("verify")
            .about("Compare every stream with the archive; exits with 7 when one differs")
            .arg(dev_argument()),
    ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do: restore or verify"));
    };
    let connection = context.connection(arguments).await?;
    let archive = archive(&connection).map_err(unusable)?;
    let config = connection.store_config(&context.config.settings.feed);
    let store = Arc::new(KinesisStore::open(&connection.clients, &config));
    match what {
        "restore" => bring_back(context, &archive, &store, arguments.get_flag("resume")).await,
        _ => {
            let ledger: Arc<dyn EventStore> = store;
            let comparison = compare(&archive, &ledger).await.map_err(unusable)?;
            report(context, &comparison, &json!({}))
        }
    }
}

async fn bring_back(
    context: &Context,
    archive: &Archive,
    store: &Arc<KinesisStore>,
    resume: bool,
) -> Result<Exit, CliError> {
    let ledger = Arc::clone(store) as Arc<dyn EventStore>;
    let mut line = LINE_EVERY;
    let mut progress = |restored: Restored| {
        if restored.commits >= line {
            say(&format!("{} commits, {} events", restored.commits, restored.events));
            line = restored.commits + LINE_EVERY;
        }
    };
    let restored = restore(archive, &ledger, resume, &mut progress).await;
    let published = store.close().await;
    let Restored { commits, before, .. } = restored.map_err(unusable)?;
    let comparison = compare(archive, &ledger).await.map_err(unusable)?;
    // What is not on the feed yet is published by the next server.
    let done = json!({ "restored_commits": commits, "commits_before": before, "published": published });
    report(context, &comparison, &done)
}

fn report(context: &Context, comparison: &Comparison, done: &Value) -> Result<Exit, CliError> {
    let different: Vec<_> = comparison
        .differences
        .iter()
        .map(|difference| {
            let (ledger, archive) = (difference.ledger.0, difference.archive.0);
            json!({ "stream": difference.stream.to_string(), "ledger": ledger, "archive": archive })
        })
        .collect();
    let mut data = json!({
        "streams": comparison.streams,
        "commits": comparison.commits,
        "events": comparison.events,
        "streams_that_differ": comparison.different,
        "first_differences": different,
    });
    if let (Value::Object(data), Value::Object(done)) = (&mut data, done) {
        data.extend(done.clone());
    }
    context.print(&data)?;
    Ok(if comparison.is_same() { Exit::Done } else { Exit::Differences })
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn say(line: &str) {
    eprintln!("{line}");
}
