//! `streams`: what is in one stream.

use clap::{Arg, ArgMatches, Command, value_parser};

use super::api::segment;
use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let stream = || Arg::new("stream").value_name("CATEGORY/ID").required(true).help("The stream");
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64)).help(help)
    };
    Command::new("streams").about("Look into a stream").subcommand_required(true).subcommands([
        Command::new("show").about("Its version, and when it was written").arg(stream()),
        Command::new("events").about("Its events").arg(stream()).args([
            number("from", "The version to begin with"),
            number("limit", "How many"),
            Arg::new("dir")
                .long("dir")
                .value_name("DIR")
                .value_parser(["forward", "backward"])
                .help("In which direction"),
            Arg::new("type").long("type").value_name("TYPE").help("Only events of this type"),
        ]),
        Command::new("state").about("Its state, now or in the past").arg(stream()).args([
            number("version", "At this version"),
            Arg::new("at")
                .long("at")
                .value_name("TIME")
                .conflicts_with("version")
                .help("At this time, such as 2026-01-31T12:00:00Z"),
        ]),
        Command::new("diff")
            .about("What changed between two versions")
            .arg(stream())
            .args([number("from", "The earlier version").required(true), number("to", "The later version")]),
    ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to look at"));
    };
    let stream = arguments.get_one::<String>("stream").map(String::as_str).unwrap_or_default();
    let below = match what {
        "show" => "",
        "events" => "/events",
        "state" => "/state",
        _ => "/diff",
    };
    let query: Vec<String> = ["from", "to", "limit", "version"]
        .into_iter()
        .filter_map(|name| {
            let number = arguments.try_get_one::<u64>(name).ok().flatten()?;
            Some(format!("{name}={number}"))
        })
        .chain(["dir", "type", "at"].into_iter().filter_map(|name| {
            let text = arguments.try_get_one::<String>(name).ok().flatten()?;
            Some(format!("{name}={}", segment(text)))
        }))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{}{below}{mark}{}", stream_path(stream)?, query.join("&"));
    context.print(&context.api()?.get(&path).await?)?;
    Ok(Exit::Done)
}

/// The path of a stream.
pub(super) fn stream_path(stream: &str) -> Result<String, CliError> {
    match stream.split_once('/') {
        Some((category, id)) if !category.is_empty() && !id.is_empty() => {
            Ok(format!("/v1/streams/{}/{}", segment(category), segment(id)))
        }
        _ => {
            Err(CliError::usage(format!("{stream:?} names no stream: write CATEGORY/ID, such as account/7")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_a_category_and_an_id_and_both_are_safe_in_a_path() {
        assert_eq!(stream_path("account/a b/%").unwrap(), "/v1/streams/account/a%20b%2F%25");
        for stream in ["", "account", "/7", "account/"] {
            assert!(matches!(stream_path(stream), Err(CliError::Usage(_))), "{stream}");
        }
    }
}
