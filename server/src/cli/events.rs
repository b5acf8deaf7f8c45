//! `events tail`: the feed, as it comes.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use http_body_util::BodyExt;

use super::api::segment;
use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("events").about("Look at the feed").subcommand_required(true).subcommand(
        Command::new("tail").about("Events as they come, one JSON document a line, until Ctrl-C").args([
            Arg::new("category").long("category").value_name("NAME").help("Only streams of this category"),
            Arg::new("type").long("type").value_name("TYPE").help("Only events of this type"),
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Begin with events since this time, such as 2026-01-31T12:00:00Z"),
            Arg::new("cursor").long("cursor").value_name("ID").help("Go on behind this event"),
        ]),
    )
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some(("tail", arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to look at"));
    };
    let query: Vec<String> = ["category", "type", "since", "cursor"]
        .into_iter()
        .filter_map(|name| {
            let text = arguments.get_one::<String>(name)?;
            Some(format!("{name}={}", segment(text)))
        })
        .collect();
    let path = format!("/v1/events?{}", query.join("&"));
    let api = context.api()?;
    let mut body = api.open(&path, &[("accept", "application/x-ndjson")]).await?;
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            _ = tokio::signal::ctrl_c() => return Err(CliError::Interrupted),
        };
        let Some(frame) = frame else { return Ok(Exit::Done) };
        let frame = frame.map_err(|error| CliError::Unavailable {
            attempted: format!("reading from {}", api.server()),
            source: Box::new(error),
        })?;
        let Some(bytes) = frame.data_ref() else { continue };
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Ok(()) => {}
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(source) => return Err(CliError::Io { what: "standard output".to_owned(), source }),
        }
    }
}
