//! `new-key`: a new API key, and what to write into the configuration for it.

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use crate::auth::{Scope, new_key};
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("new-key")
        .about("Make an API key: it is shown once, and only its hash goes into the configuration")
        .args([
            Arg::new("name").value_name("NAME").required(true).help("Whose it is"),
            Arg::new("scopes")
                .long("scopes")
                .value_name("S1,S2")
                .value_delimiter(',')
                .required(true)
                .value_parser(value_parser!(Scope))
                .help("What it allows: command[:CATEGORY], query[:READ-MODEL], payload, admin:read, admin"),
        ])
}

pub(super) fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let name = arguments.get_one::<String>("name").map(String::as_str).unwrap_or_default();
    let scopes: Vec<String> =
        arguments.get_many::<Scope>("scopes").into_iter().flatten().map(ToString::to_string).collect();
    let (key, sha256) =
        new_key().ok_or_else(|| CliError::Refused("the system has no randomness for a key".to_owned()))?;
    let lines = format!("[[auth.keys]]\nname = {name:?}\nsha256 = {sha256:?}\nscopes = {scopes:?}\n");
    if context.output == super::output::Output::Human {
        say(&format!("the key, shown this once: give it to {name}"));
        context.print(&json!(key))?;
        say(&format!("\nfor headwater.toml of the server:\n\n{lines}"));
        return Ok(Exit::Done);
    }
    context.print(&json!({"name": name, "key": key, "sha256": sha256, "scopes": scopes, "toml": lines}))?;
    Ok(Exit::Done)
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn say(line: &str) {
    eprintln!("{line}");
}
