//! Asking before harm is done: what will happen is shown, and somebody says yes.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Arg, ArgAction, ArgMatches};

use super::error::CliError;

/// The flag that says yes beforehand.
pub(super) fn yes() -> Arg {
    Arg::new("yes").long("yes").short('y').action(ArgAction::SetTrue).help("Do it without asking")
}

/// Shows what will happen and asks. Without a terminal, `--yes` must have been said.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(super) fn confirm(arguments: &ArgMatches, effect: &str) -> Result<(), CliError> {
    eprintln!("{effect}");
    if arguments.get_flag("yes") {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage("nothing was done: say --yes to do it without being asked"));
    }
    eprint!("do it? [y/N] ");
    let failed = |source| CliError::Io { what: "the terminal".to_owned(), source };
    std::io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError::Interrupted),
    }
}
