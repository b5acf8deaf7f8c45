//! `schema`: the JSON Schemas of events, and the lock that keeps published ones readable.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use headwater::schema::SchemaLock;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let dir = || {
        Arg::new("dir")
            .long("dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .default_value("schemas")
            .help("Where the locked schemas are")
    };
    Command::new("schema").about("The schemas of events").subcommand_required(true).subcommands([
        Command::new("list").about("Every event version of this binary"),
        Command::new("check")
            .about("Exit with 7 when a published event changed in a way that is not survived")
            .arg(dir()),
        Command::new("lock").about("Write down what is new").arg(dir()),
    ])
}

pub(super) fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do: list, check or lock"));
    };
    let aggregates = context.app.aggregates();
    if what == "list" {
        let events: Vec<Value> = aggregates
            .flat_map(|(category, aggregate)| {
                aggregate.event_schemas().into_iter().map(
                    move |event| json!({"category": category, "event": event.name, "version": event.schema}),
                )
            })
            .collect();
        context.print(&json!({ "events": events }))?;
        return Ok(Exit::Done);
    }
    let dir = arguments.get_one::<PathBuf>("dir").cloned().unwrap_or_default();
    let lock = aggregates.fold(SchemaLock::new(&dir), |lock, (_, aggregate)| aggregate.lock(lock));
    if what == "lock" {
        let what = dir.display().to_string();
        let written = lock.write().map_err(|source| CliError::Io { what, source })?;
        let written: Vec<Value> =
            written.iter().map(|file| json!({"file": file.display().to_string()})).collect();
        context.print(&json!({ "written": written }))?;
        return Ok(Exit::Done);
    }
    match lock.check() {
        Ok(()) => {
            context.print(&json!({"differences": []}))?;
            Ok(Exit::Done)
        }
        Err(drift) => {
            context.print(&json!({"differences": [{"what": drift.to_string()}]}))?;
            Ok(Exit::Differences)
        }
    }
}
