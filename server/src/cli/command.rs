//! `command`: one command to one stream.

use std::io::Read;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::api::segment;
use super::context::Context;
use super::error::CliError;
use super::streams::stream_path;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("command").about("Send one command to a stream").args([
        Arg::new("stream").value_name("CATEGORY/ID").required(true).help("The stream"),
        Arg::new("name").value_name("NAME").required(true).help("The command"),
        Arg::new("data")
            .long("data")
            .value_name("JSON|@FILE")
            .help("Its data: JSON, or a file behind @; @- reads standard input"),
        Arg::new("if-match")
            .long("if-match")
            .value_name("VERSION")
            .help("Only if the stream is at this version; * for any but none"),
        Arg::new("key")
            .long("key")
            .value_name("KEY")
            .help("Carry it out once, however often it is sent under this key"),
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help("Only show the events it would make"),
    ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
    let stream = stream_path(text("stream").unwrap_or_default())?;
    let name = segment(text("name").unwrap_or_default());
    let data = text("data").map(data).transpose()?.unwrap_or_else(|| json!({}));
    let expected = text("if-match").map(|version| match version {
        "*" => version.to_owned(),
        version => format!("\"{}\"", version.trim_matches('"')),
    });
    let mut headers = Vec::new();
    if let Some(expected) = &expected {
        headers.push(("if-match", expected.as_str()));
    }
    if let Some(key) = text("key") {
        headers.push(("idempotency-key", key));
    }
    let dry_run = if arguments.get_flag("dry-run") { "?dry_run=true" } else { "" };
    let path = format!("{stream}/commands/{name}{dry_run}");
    let (_, done) = context.api()?.post(&path, &headers, &data).await?;
    context.print(&done)?;
    Ok(Exit::Done)
}

/// The data of a command.
fn data(text: &str) -> Result<Value, CliError> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |source| CliError::Io { what, source }
    };
    let (what, bytes) = match text.strip_prefix('@') {
        None => ("--data".to_owned(), text.as_bytes().to_vec()),
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed("standard input"))?;
            ("standard input".to_owned(), bytes)
        }
        Some(file) => (file.to_owned(), std::fs::read(file).map_err(failed(file))?),
    };
    serde_json::from_slice(&bytes).map_err(|source| CliError::Json { what, source })
}
