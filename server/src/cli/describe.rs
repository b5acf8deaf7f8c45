//! `describe` and `openapi`: what a server serves, for people and for programs.

use clap::Command;

use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn commands() -> [Command; 2] {
    [
        Command::new("describe")
            .about("The model that a server serves: aggregates, commands, events, projections"),
        Command::new("openapi").about("The description of a server's API (OpenAPI 3.1), as JSON"),
    ]
}

pub(super) async fn run(context: &Context, name: &str) -> Result<Exit, CliError> {
    let path = if name == "describe" { "/v1/admin/describe" } else { "/openapi.json" };
    let document = context.api()?.get(path).await?;
    match (name, context.output) {
        // A description for programs has no form for people.
        ("openapi", super::output::Output::Human) => super::output::Output::Json.print(&document),
        (_, output) => output.print(&document),
    }
    .map_err(|source| CliError::Io { what: "standard output".to_owned(), source })?;
    Ok(Exit::Done)
}
