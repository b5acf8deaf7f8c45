//! `completions`: what a shell needs to complete the command line.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::error::CliError;
use super::tree;
use crate::App;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Completions for a shell, to standard output")
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

pub(super) fn run(app: &App, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let shell = *arguments.get_one::<Shell>("shell").expect("it is required");
    clap_complete::generate(shell, &mut tree::command(app), app.name, &mut std::io::stdout());
    Ok(Exit::Done)
}
