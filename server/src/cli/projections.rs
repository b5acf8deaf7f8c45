//! `projections`: how they are doing, pausing them and going on.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::api::segment;
use super::backfill;
use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let name = || Arg::new("name").value_name("PROJECTION").required(true).help("The projection");
    let asked = [
        Command::new("list").about("All of them"),
        Command::new("show").about("One, with its partitions").arg(name()),
        Command::new("pause")
            .about("Stop applying events to one, in the process that is asked")
            .args([name(), reason()]),
        Command::new("resume").about("Go on with one that was paused").args([name(), reason()]),
    ];
    Command::new("projections")
        .about("How projections are doing, and which generations of them there are")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(asked)
        .subcommands(backfill::switches())
        .subcommand(backfill::verify_command())
}

/// Why something is done; it is written down.
pub(super) fn reason() -> Arg {
    Arg::new("reason").long("reason").value_name("WHY").required(true).help("Why; it is written down")
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do"));
    };
    if matches!(what, "generations" | "promote" | "rollback" | "drop") {
        return backfill::switch(context, what, arguments).await;
    }
    if what == "verify" {
        return backfill::verify(context, arguments).await;
    }
    let text = |name: &str| arguments.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_default();
    let api = context.api()?;
    let one = format!("/v1/admin/projections/{}", segment(&text("name")));
    let answer = match what {
        "list" => api.get("/v1/admin/projections").await?,
        "show" => api.get(&one).await?,
        verb => api.post(&format!("{one}/{verb}"), &[], &json!({"reason": text("reason")})).await?.1,
    };
    context.print(&answer)?;
    Ok(Exit::Done)
}
