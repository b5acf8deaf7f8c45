//! `export`: every event of the feed, one CloudEvents document a line, until there is no more.

use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;

use super::api::segment;
use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

/// Events of a page.
const PAGE: usize = 1_000;

pub(super) fn command() -> Command {
    Command::new("export")
        .about("Every event of the feed, one JSON document a line, until there is no more")
        .args([
            Arg::new("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Where to; standard output when there is none"),
            Arg::new("category").long("category").value_name("NAME").help("Only streams of this category"),
            Arg::new("type").long("type").value_name("TYPE").help("Only events of this type"),
            Arg::new("cursor").long("cursor").value_name("C").help("Go on where an earlier export ended"),
        ])
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned();
    let file = arguments.get_one::<PathBuf>("file");
    let what = file.map_or_else(|| "standard output".to_owned(), |file| file.display().to_string());
    let failed = |source| CliError::Io { what: what.clone(), source };
    let mut out: Box<dyn Write> = match file {
        Some(file) => Box::new(std::io::BufWriter::new(std::fs::File::create(file).map_err(&failed)?)),
        None => Box::new(std::io::BufWriter::new(std::io::stdout())),
    };
    let filter: String = ["category", "type"]
        .into_iter()
        .filter_map(|name| Some(format!("&{name}={}", segment(&text(name)?))))
        .collect();
    let api = context.api()?;
    let (mut cursor, mut events) = (text("cursor"), 0_u64);
    loop {
        let after = cursor.as_ref().map(|cursor| format!("&cursor={}", segment(cursor))).unwrap_or_default();
        let page = api.get(&format!("/v1/events?limit={PAGE}{filter}{after}")).await?;
        for event in page.get("events").and_then(Value::as_array).into_iter().flatten() {
            writeln!(out, "{event}").map_err(&failed)?;
            events += 1;
        }
        let next = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
        let ended = page.get("caught_up").and_then(Value::as_bool).unwrap_or(next.is_none());
        cursor = next.or(cursor);
        if ended {
            break;
        }
    }
    out.flush().map_err(&failed)?;
    eprintln!("{events} events; go on later with --cursor {}", cursor.unwrap_or_default());
    Ok(Exit::Done)
}
