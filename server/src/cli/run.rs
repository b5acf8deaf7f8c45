//! Reading the command line and doing what it says.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgMatches;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::context::Context;
use super::error::CliError;
use super::output::Output;
use super::{
    archive, backfill, command, completions, config, describe, dev, doctor, events, export, import, infra,
    ledger, new_key, operations, parked, projections, schema, serve, streams, tree,
};
use crate::App;
use crate::config::{Config, Flag, LogFormat, Settings};
use crate::exit::{Exit, complain};
use crate::observe::Traces;

/// Reads the command line and does what it says.
pub(crate) async fn run(app: App) -> ExitCode {
    let mut tree = tree::command(&app);
    let matches = match tree.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Failed.into(),
            };
        }
    };
    let Some((name, arguments)) = matches.subcommand() else { return Exit::Usage.into() };
    if let Some(exit) = own(&app, name, arguments) {
        return exit.into();
    }
    match Box::pin(dispatch(app, name, &matches, arguments)).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&error);
            error.exit().into()
        }
    }
}

async fn dispatch(
    app: App,
    name: &str,
    matches: &ArgMatches,
    arguments: &ArgMatches,
) -> Result<Exit, CliError> {
    if name == "completions" {
        return completions::run(&app, arguments);
    }
    let file = matches.get_one::<PathBuf>("config");
    let config = Config::load(app.name, file.map(PathBuf::as_path), &flags(matches, arguments))?;
    let traces = match name {
        "dev" | "serve" => Traces::start(app.name, &config.settings.otlp)?,
        _ => Traces::off(),
    };
    log(&config.settings, &traces);
    let output = *matches.get_one::<Output>("output").expect("it has a default");
    let context = Context { app, config, output, traces };
    match name {
        "dev" => dev::run(context, arguments).await,
        "serve" => serve::run(context, arguments).await,
        "import" => import::run(&context, arguments).await,
        "backfill" => backfill::run(&context, arguments).await,
        "command" => command::run(&context, arguments).await,
        "streams" => streams::run(&context, arguments).await,
        "events" => events::run(&context, arguments).await,
        "archive" => archive::run(&context, arguments).await,
        "ledger" => ledger::run(&context, arguments).await,
        "infra" => infra::run(&context, arguments).await,
        "doctor" => doctor::run(&context, arguments).await,
        "export" => export::run(&context, arguments).await,
        "projections" => projections::run(&context, arguments).await,
        "operations" => operations::run(&context, arguments).await,
        "parked" => parked::run(&context, arguments).await,
        "schema" => schema::run(&context, arguments),
        "describe" | "openapi" => describe::run(&context, name).await,
        "config" => config::run(&context, arguments),
        "new-key" => new_key::run(&context, arguments),
        _ => Err(CliError::usage(format!("{name} is no command"))),
    }
}

/// The settings that were given as flags.
fn flags(matches: &ArgMatches, arguments: &ArgMatches) -> Vec<Flag> {
    let mut flags = Vec::new();
    if let Some(server) = matches.get_one::<String>("server") {
        flags.push(Flag { flag: "--server", setting: "client.server", value: server.as_str().into() });
    }
    let listen = arguments.try_get_one::<String>("listen").ok().flatten();
    if let Some(listen) = listen {
        flags.push(Flag { flag: "--listen", setting: "server.listen", value: listen.as_str().into() });
    }
    if arguments.try_get_one::<bool>("insecure").ok().flatten() == Some(&true) {
        flags.push(Flag { flag: "--insecure", setting: "server.insecure", value: true.into() });
    }
    flags
}

/// A command of the application's own.
fn own(app: &App, name: &str, arguments: &ArgMatches) -> Option<Exit> {
    let (_, handler) = app.commands.iter().find(|(command, _)| command.get_name() == name)?;
    log(&Settings::of(app.name), &Traces::off());
    Some(match handler(arguments) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&*error);
            Exit::Failed
        }
    })
}

/// Logs to standard error from here on, and sends traces where they go.
fn log(settings: &Settings, traces: &Traces) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.log.filter));
    let all = tracing_subscriber::registry().with(traces.layer());
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match settings.log.format {
        LogFormat::Human => all.with(log.with_filter(filter)).init(),
        LogFormat::Json => all.with(log.json().with_filter(filter)).init(),
    }
}
