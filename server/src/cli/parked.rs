//! `parked`: streams that a projection cannot apply for now, and what is done about them. What is done is counted first,
//! shown, and done only to as many.

use clap::{Arg, ArgGroup, ArgMatches, Command};
use serde_json::{Value, json};

use super::api::{Api, segment};
use super::confirm::{confirm, yes};
use super::context::Context;
use super::error::CliError;
use super::projections::reason;
use crate::exit::Exit;

/// Streams of a page.
const PAGE: usize = 1_000;

pub(super) fn command() -> Command {
    let name = || Arg::new("name").value_name("PROJECTION").required(true).help("The projection");
    let order = |verb: &'static str, about: &'static str| {
        Command::new(verb)
            .about(about)
            .args([
                name(),
                Arg::new("stream").long("stream").value_name("CATEGORY/ID").help("This stream"),
                Arg::new("fingerprint")
                    .long("fingerprint")
                    .value_name("F")
                    .help("All with this error, see `groups`"),
                Arg::new("all").long("all").action(clap::ArgAction::SetTrue).help("All of them"),
                reason(),
                yes(),
            ])
            .group(ArgGroup::new("which").args(["stream", "fingerprint", "all"]).required(true))
    };
    Command::new("parked")
        .about("Streams that a projection cannot apply")
        .subcommand_required(true)
        .subcommands([
            Command::new("list").about("All of them").arg(name()),
            Command::new("groups").about("By their error, the most frequent first").arg(name()),
            Command::new("show").about("One").args([
                name(),
                Arg::new("stream").value_name("CATEGORY/ID").required(true).help("The stream"),
            ]),
            order("retry", "Apply their events again"),
            order("discard", "Pass over the event that fails: the projection will never have it"),
        ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do"));
    };
    let text = |name: &str| arguments.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    let (api, name) = (context.api()?, text("name").unwrap_or_default());
    match what {
        "list" => context.print(&json!({"parked": all(&api, name).await?}))?,
        "groups" => {
            let path = format!("/v1/admin/parked/groups?projection={}", segment(name));
            context.print(&api.get(&path).await?)?;
        }
        "show" => {
            let stream = text("stream").unwrap_or_default();
            let found = all(&api, name).await?.into_iter().find(|parked| parked["stream"] == stream);
            let missing = || CliError::Problem {
                slug: "not-found".to_owned(),
                status: 404,
                detail: format!("stream {stream} is not parked for {name}"),
                body: Value::Null,
            };
            context.print(&found.ok_or_else(missing)?)?;
        }
        verb => order(context, &api, verb, arguments).await?,
    }
    Ok(Exit::Done)
}

/// Every parked stream, a page at a time.
async fn all(api: &Api, projection: &str) -> Result<Vec<Value>, CliError> {
    let mut parked = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/admin/parked?projection={}&limit={PAGE}{after}", segment(projection));
        let mut page = api.get(&path).await?;
        if let Some(Value::Array(streams)) = page.get_mut("parked").map(Value::take) {
            parked.extend(streams);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", segment(next)),
            None => return Ok(parked),
        }
    }
}

/// Counts, shows, asks, and does it to as many.
async fn order(context: &Context, api: &Api, verb: &str, arguments: &ArgMatches) -> Result<(), CliError> {
    let text = |name: &str| arguments.get_one::<String>(name);
    let mut order = json!({"projection": text("name"), "reason": text("reason")});
    for which in ["stream", "fingerprint"] {
        if let (Some(value), Some(members)) = (text(which), order.as_object_mut()) {
            members.insert(which.to_owned(), json!(value));
        }
    }
    let path = format!("/v1/admin/parked/{verb}");
    let (_, counted) = api.post(&path, &[], &order).await?;
    let count = counted.get("count").and_then(Value::as_u64).unwrap_or_default();
    if count == 0 {
        return context.print(&counted);
    }
    let effect = match verb {
        "discard" => format!("{count} streams: the event that fails is passed over for good"),
        _ => format!("{count} streams: their events are applied again"),
    };
    confirm(arguments, &effect)?;
    if let Some(members) = order.as_object_mut() {
        members.insert("confirm_count".to_owned(), json!(count));
    }
    context.print(&api.post(&path, &[], &order).await?.1)
}
