//! `archive`: the files of the archive, looked at without a server.

use clap::{Arg, ArgMatches, Command};
use headwater_archive::athena;
use serde_json::json;

use super::context::{Context, dev_argument};
use super::error::CliError;
use crate::archive::archive;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    let since = Arg::new("since").long("since").value_name("YYYY-MM-DD").required(true).help("Its first day");
    let name =
        Arg::new("name").long("name").value_name("NAME").default_value("events").help("The table's name");
    Command::new("archive").about("The files of the archive").subcommand_required(true).subcommands([
        Command::new("check")
            .about("Look at every file; exits with 7 when a chain of files is not whole")
            .arg(dev_argument()),
        Command::new("table")
            .about("Print the statement that makes a table of the archive in Athena")
            .args([since, name, dev_argument()]),
    ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    match arguments.subcommand() {
        Some(("check", arguments)) => check(context, arguments).await,
        Some(("table", arguments)) => table(context, arguments).await,
        _ => Err(CliError::usage("say what to do: check or table")),
    }
}

async fn check(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let connection = context.connection(arguments).await?;
    let archive = archive(&connection).map_err(unusable)?;
    let files = archive.files().await.map_err(unusable)?;
    let all = || files.chains.values().flatten();
    let broken: Vec<_> = files.links.iter().map(|link| json!({ "broken": link.to_string() })).collect();
    let whole = broken.is_empty();
    context.print(&json!({
        "files": all().count(),
        "chains": files.chains.len(),
        "commits": all().map(|file| file.commits).sum::<u64>(),
        "events": all().map(|file| file.events).sum::<u64>(),
        "bytes": all().map(|file| file.bytes).sum::<u64>(),
        "broken": broken,
    }))?;
    Ok(if whole { Exit::Done } else { Exit::Differences })
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
async fn table(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let since = text("since");
    if since.parse::<jiff::civil::Date>().is_err() {
        return Err(CliError::usage(format!("{since} is no day: write it as 2026-08-30")));
    }
    let names = context.connection(arguments).await?.place.names;
    print!("{}", athena::table(&text("name"), &names.bucket, &names.prefix, &since));
    Ok(Exit::Done)
}

pub(super) fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::Archive(Box::new(error))
}
