//! `operations`: rebuilds that are queued, under way or over, seen and cancelled.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::api::segment;
use super::context::Context;
use super::error::CliError;
use super::projections::reason;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let id = || Arg::new("id").value_name("ID").required(true).help("The operation, such as balances-3");
    Command::new("operations")
        .about("Rebuilds that are queued, under way or over")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("All of them, the newest of each projection first"),
            Command::new("show").about("One").arg(id()),
            Command::new("cancel")
                .about("Stop one in good order; what is done stays done")
                .args([id(), reason()]),
        ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do"));
    };
    let text = |name: &str| arguments.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_default();
    let api = context.api()?;
    let one = format!("/v1/admin/operations/{}", segment(&text("id")));
    let answer = match what {
        "list" => api.get("/v1/admin/operations").await?,
        "show" => api.get(&one).await?,
        verb => api.post(&format!("{one}/{verb}"), &[], &json!({"reason": text("reason")})).await?.1,
    };
    context.print(&answer)?;
    Ok(Exit::Done)
}
