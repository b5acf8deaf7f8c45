//! `backfill`: connects, builds, shows how far it is, and stops in good order.

use std::sync::Arc;

use headwater::EventStore;
use headwater_archive::ArchiveHistory;
use headwater_projections::backfill::{
    Backfill, BackfillError, Built, History, LedgerHistory, Options, Pace, Progress, SwitchError, Target,
};
use headwater_projections::{DefinitionError, GROUP, LeaseStore, RowStore};
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::KinesisStore;
use tokio::sync::watch;

use clap::ArgMatches;

use super::arguments::options;
use super::show::Show;
use crate::archive::archive;
use crate::backends::Connection;
use crate::cli::archive::unusable;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::exit::{Exit, complain};

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Cli(#[from] CliError),
    #[error("projection {name:?} is unknown: known are {known}")]
    Unknown { name: String, known: String },
    #[error("{name} is a reactor: it has no rows that could be built anew")]
    Reactor { name: String },
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error(transparent)]
    Backfill(#[from] BackfillError),
}

/// Builds a read model anew.
pub(in crate::cli) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    match build(context, arguments).await {
        Ok(()) => Ok(Exit::Done),
        Err(RunError::Cli(error)) => Err(error),
        Err(error) => {
            complain(&error);
            Ok(exit_of(&error))
        }
    }
}

pub(super) fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::Cli(error) => error.exit(),
        RunError::Unknown { .. } | RunError::Reactor { .. } => Exit::NotFound,
        RunError::Definition(_) => Exit::Config,
        RunError::Backfill(BackfillError::Stopped) => Exit::Interrupted,
        RunError::Backfill(BackfillError::Differs { .. } | BackfillError::Parked { .. }) => Exit::Differences,
        RunError::Backfill(BackfillError::Contended { .. }) => Exit::Conflict,
        RunError::Backfill(BackfillError::Switch(error)) => switch_exit(error),
        RunError::Backfill(_) => Exit::Failed,
    }
}

/// How a command ends that could not change which generation is live.
pub(super) fn switch_exit(error: &SwitchError) -> Exit {
    match error {
        SwitchError::NotDeployed { .. } => Exit::NotFound,
        SwitchError::Generation(_) | SwitchError::NothingBefore { .. } | SwitchError::Behind { .. } => {
            Exit::Conflict
        }
        _ => Exit::Failed,
    }
}

async fn build(context: &Context, arguments: &ArgMatches) -> Result<(), RunError> {
    let projection = arguments.get_one::<String>("projection").cloned().unwrap_or_default();
    let options = options(arguments);
    let target = target(context, &projection)?;
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&context.config.settings.feed);
    let store = Arc::new(KinesisStore::open(&connection.clients, &config));
    let (rows, leases) = stores(&connection);
    let ledger: Arc<dyn EventStore> = Arc::clone(&store) as Arc<dyn EventStore>;
    let source = arguments.get_one::<String>("source").map(String::as_str);
    let history = history(source, &connection, &ledger, &leases).await?;
    let (progress, pace) = (Arc::new(Progress::default()), Pace::new(options.budget));
    let backfill = Backfill {
        target,
        ledger,
        rows,
        leases,
        group: GROUP.into(),
        history,
        options,
        progress: Arc::clone(&progress),
        pace,
    };
    let (stop, stopped) = watch::channel(false);
    let mut show = Show::start(Arc::clone(&progress), context.output);
    show.say(&format!("reading the {}", backfill.history.kind()));
    let mut building = Box::pin(backfill.run(stopped));
    let built = loop {
        tokio::select! {
            built = &mut building => break built,
            () = show.tick() => {}
            interrupted = tokio::signal::ctrl_c() => {
                if interrupted.is_ok() {
                    show.say("stopping: what is done stays done");
                    stop.send_replace(true);
                }
                break building.await;
            }
        }
    };
    show.end();
    store.close().await;
    if let Err(BackfillError::Stopped) = &built {
        let binary = std::env::args().next().unwrap_or_else(|| context.app.name.to_owned());
        let dev = arguments.get_one::<u16>("dev").map_or_else(String::new, |port| format!(" --dev={port}"));
        show.say(&format!("to go on: {binary} backfill {projection}{dev}"));
    }
    tell(context, &projection, &options, &progress, &built?)?;
    Ok(())
}

/// The rows and leases, with a retry budget of their own so that commands are not starved.
pub(super) fn stores(connection: &Connection) -> (Arc<dyn RowStore>, Arc<dyn LeaseStore>) {
    let prefix = &connection.place.names.prefix;
    let mut config = rows::Config::new(prefix);
    config.settings = rows::Config::backfill_settings();
    let rows = DynamoRows::new(&connection.clients.dynamodb, config);
    (Arc::new(rows), Arc::new(DynamoLeases::new(&connection.clients.dynamodb, prefix)))
}

/// Where the events are read: as it was said, else the archive if it has files.
async fn history(
    source: Option<&str>,
    connection: &Connection,
    ledger: &Arc<dyn EventStore>,
    leases: &Arc<dyn LeaseStore>,
) -> Result<Arc<dyn History>, RunError> {
    let of_ledger = || LedgerHistory::new(Arc::clone(ledger), Arc::clone(leases), GROUP);
    if source == Some("ledger") {
        return Ok(Arc::new(of_ledger()));
    }
    let archive = archive(connection).map_err(unusable)?;
    // Without a bucket there is no archive; whoever asked for it is told.
    let any = match archive.any().await {
        Err(_) if source.is_none() => false,
        any => any.map_err(unusable)?,
    };
    match (any, source) {
        (true, _) => Ok(Arc::new(ArchiveHistory::new(archive, Arc::clone(leases)))),
        (false, None) => Ok(Arc::new(of_ledger())),
        (false, Some(_)) => Err(CliError::usage("the archive has no files: use --source ledger").into()),
    }
}

pub(super) fn target(context: &Context, name: &str) -> Result<Target, RunError> {
    let kept = context.app.kept();
    let known = || kept.iter().map(|kept| kept.name).collect::<Vec<_>>().join(", ");
    let found = kept.iter().find(|kept| kept.name == name);
    let found = found.ok_or_else(|| RunError::Unknown { name: name.to_owned(), known: known() })?;
    let target = found.target.ok_or_else(|| RunError::Reactor { name: name.to_owned() })?;
    Ok(target()?)
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
fn tell(
    context: &Context,
    projection: &str,
    options: &Options,
    progress: &Progress,
    built: &Built,
) -> Result<(), CliError> {
    let (done, generation) = (progress.snapshot(), built.generation);
    if context.output != Output::Human {
        return context.print(&serde_json::json!({
            "projection": projection,
            "generation": generation,
            "live": built.live,
            "compared": built.compared,
            "parked": built.parked,
            "progress": done,
        }));
    }
    let (events, rows, units) = (done.events, done.rows, done.write_units);
    if options.dry_run {
        println!("{projection} would have {rows} rows from {events} events; nothing was written");
        return Ok(());
    }
    println!(
        "{projection}: generation {generation} has {rows} new rows from {events} events ({units} write units, {} \
         rows compared, {} streams parked)",
        built.compared, built.parked
    );
    match built.live {
        true => println!(
            "generation {generation} is live; the one before it is kept: `projections rollback {projection}` goes back"
        ),
        false => {
            println!("it is not live: `projections promote {projection} {generation}` switches to it");
        }
    }
    Ok(())
}
