//! `backfill`: builds, shows how far it is, and stops in good order.

use std::path::PathBuf;
use std::sync::Arc;

use headwater::EventStore;
use headwater_projections::backfill::{
    BackfillError, Built, OperationError, Options, Progress, SwitchError, Wish,
};
use headwater_projections::group::WorkerId;
use headwater_store_kinesis::KinesisStore;
use tokio::sync::watch;

use clap::ArgMatches;

use super::arguments::wish;
use super::show::Show;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::exit::{Exit, complain};
use crate::rebuild::{Ground, RebuildError, command, target};

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Cli(#[from] CliError),
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    #[error(transparent)]
    Operation(#[from] OperationError),
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
        RunError::Rebuild(RebuildError::Unknown { .. } | RebuildError::Reactor { .. }) => Exit::NotFound,
        RunError::Rebuild(RebuildError::Definition(_)) => Exit::Config,
        RunError::Rebuild(RebuildError::NoFiles) => Exit::Usage,
        RunError::Rebuild(RebuildError::Archive(_)) => Exit::Failed,
        RunError::Operation(OperationError::Contended) => Exit::Conflict,
        RunError::Operation(_) => Exit::Unreachable,
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
    let (wish, options) = wish(arguments);
    let target = target(context.app.kept(), &projection)?;
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&context.config.settings.feed);
    let store = Arc::new(KinesisStore::open(&connection.clients, &config));
    let ground = Ground::new(connection, Arc::clone(&store) as Arc<dyn EventStore>);
    let backfill = ground.backfill(target, wish.source, options).await?;
    let mut show = Show::start(Arc::clone(&backfill.progress), context.output);
    show.say(&format!("reading the {}", backfill.history.kind()));
    let built = if options.dry_run {
        watched(&mut show, async |stopped| backfill.run(stopped).await).await
    } else {
        // Beside it, everybody sees it, and may cancel it.
        let operations = ground.operations();
        match operations.begin(&backfill.target, &wish, &WorkerId::random()).await {
            Ok(operation) => {
                let id = Arc::clone(&operation.id);
                let carry_out = async |stopped| operations.carry_out(operation, &backfill, stopped).await;
                let built = watched(&mut show, carry_out).await;
                if matches!(built, Err(RunError::Backfill(BackfillError::Stopped))) {
                    show.say(&format!("`operations show {id}` says by whom it was stopped"));
                }
                built
            }
            Err(error) => Err(error.into()),
        }
    };
    show.end();
    store.close().await;
    if let Err(RunError::Backfill(BackfillError::Stopped)) = &built {
        show.say(&format!("to go on: {}", again(context, arguments, &projection, &wish)));
    }
    tell(context, &projection, &options, &backfill.progress, &built?)?;
    Ok(())
}

/// The line that goes on with what was begun, as it was begun.
fn again(context: &Context, arguments: &ArgMatches, projection: &str, wish: &Wish) -> String {
    let binary = std::env::args().next().unwrap_or_else(|| context.app.name.to_owned());
    let mut line = format!("{binary} {}", command(projection, wish));
    if let Some(workers) = arguments.get_one::<u16>("workers") {
        line += &format!(" --workers {workers}");
    }
    if arguments.get_flag("dry-run") {
        line += " --dry-run";
    }
    if let Some(config) = arguments.get_one::<PathBuf>("config") {
        line += &format!(" --config {}", config.display());
    }
    if let Some(port) = arguments.get_one::<u16>("dev") {
        line += &format!(" --dev={port}");
    }
    line
}

/// Shows how far the work is, and lets Ctrl-C stop it in good order.
async fn watched(
    show: &mut Show,
    work: impl AsyncFnOnce(watch::Receiver<bool>) -> Result<Built, BackfillError>,
) -> Result<Built, RunError> {
    let (stop, stopped) = watch::channel(false);
    let mut building = Box::pin(work(stopped));
    loop {
        tokio::select! {
            built = &mut building => return built.map_err(RunError::from),
            () = show.tick() => {}
            interrupted = tokio::signal::ctrl_c() => {
                if interrupted.is_ok() {
                    show.say("stopping: what is done stays done (once more to stop at once)");
                    stop.send_replace(true);
                }
                return tokio::select! {
                    built = &mut building => built.map_err(RunError::from),
                    Ok(()) = tokio::signal::ctrl_c() => Err(BackfillError::Stopped.into()),
                };
            }
        }
    }
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
