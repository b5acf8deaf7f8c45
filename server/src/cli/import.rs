//! `import`: commands from a file to a server.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;
use crate::import;

pub(super) fn command() -> Command {
    Command::new("import")
        .about("Send commands from a file to a server, each stream in order; a second run changes nothing")
        .args([
            Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)).help(
                "Commands as NDJSON: {\"stream\", \"command\", \"data\", \"key\"}; - reads standard input",
            ),
            Arg::new("connections")
                .long("connections")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=256))
                .default_value("16")
                .help("How many commands are under way at once, each for another stream"),
        ])
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let options = import::Options {
        file: arguments.get_one::<PathBuf>("file").cloned().expect("it is required"),
        api: context.api()?,
        connections: usize::from(*arguments.get_one::<u16>("connections").expect("it has a default")),
    };
    Ok(import::run(&options).await)
}
