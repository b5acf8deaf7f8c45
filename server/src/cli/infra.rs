//! `infra`: the tables, the stream and the bucket that a server needs.

use clap::{Arg, ArgMatches, Command};
use headwater_store_kinesis::infra;
use serde_json::{Value, json};

use super::confirm::{confirm, yes};
use super::context::{Context, dev_argument};
use super::error::CliError;
use crate::backends::{Connection, bucket};
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let dev: fn() -> Arg = dev_argument;
    Command::new("infra")
        .about("Tables, indexes, the stream and the bucket")
        .subcommand_required(true)
        .subcommands([
            Command::new("plan").about("What `apply` would make or change").arg(dev()),
            Command::new("apply")
                .about("Make what is missing, change what can be changed")
                .args([dev(), yes()]),
            Command::new("check").about("Exit with 7 when something is not as it should be").arg(dev()),
        ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some((what, arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do: plan, apply or check"));
    };
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&context.config.settings.feed);
    let differences = differences(&connection, &config).await?;
    if what != "apply" {
        context.print(&shown("differences", &differences))?;
        let differs = what == "check" && !differences.is_empty();
        return Ok(if differs { Exit::Differences } else { Exit::Done });
    }
    if differences.is_empty() {
        context.print(&shown("changed", &[]))?;
        return Ok(Exit::Done);
    }
    let place = &connection.place;
    let effect = format!(
        "in {} ({}), to be made or changed:\n{}",
        place.region,
        place.endpoints.dynamodb.as_deref().unwrap_or("AWS"),
        differences.iter().map(|line| format!("  {line}\n")).collect::<String>().trim_end()
    );
    confirm(arguments, &effect)?;
    let changed = infra::apply(&connection.clients, &config).await;
    let changed = changed.map_err(|error| unavailable("making the tables and the stream", error))?;
    let mut changed: Vec<String> = changed.iter().map(ToString::to_string).collect();
    let made = bucket::apply(&connection).await.map_err(|error| unavailable("making the bucket", error))?;
    changed.extend(made.map(|difference| difference.to_string()));
    context.print(&shown("changed", &changed))?;
    Ok(Exit::Done)
}

async fn differences(
    connection: &Connection,
    config: &headwater_store_kinesis::Config,
) -> Result<Vec<String>, CliError> {
    let found = infra::check(&connection.clients, config).await;
    let found = found.map_err(|error| unavailable("looking at the tables and the stream", error))?;
    let mut lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    let bucket =
        bucket::check(connection).await.map_err(|error| unavailable("looking at the bucket", error))?;
    lines.extend(bucket.map(|difference| difference.to_string()));
    Ok(lines)
}

fn shown(name: &str, lines: &[String]) -> Value {
    let lines: Vec<Value> = lines.iter().map(|line| json!({"what": line})).collect();
    json!({ name: lines })
}

fn unavailable(attempted: &str, source: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::Unavailable { attempted: attempted.to_owned(), source: Box::new(source) }
}
