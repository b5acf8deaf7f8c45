//! `config show`: every setting, and where it is from.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("config").about("The configuration").subcommand_required(true).subcommand(
        Command::new("show").about("Every setting with its value; secrets are hidden").arg(
            Arg::new("sources")
                .long("sources")
                .action(ArgAction::SetTrue)
                .help("Also the flag, variable or file each value is from"),
        ),
    )
}

pub(super) fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let Some(("show", arguments)) = arguments.subcommand() else {
        return Err(CliError::usage("say what to do with it"));
    };
    let shown = context.config.show().into_iter().map(|shown| match arguments.get_flag("sources") {
        true => json!({"setting": shown.setting, "value": shown.value, "source": shown.source}),
        false => json!({"setting": shown.setting, "value": shown.value}),
    });
    context.print(&json!({"settings": Value::Array(shown.collect())}))?;
    Ok(Exit::Done)
}
