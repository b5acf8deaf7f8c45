//! Which commands there are.

use std::path::PathBuf;

use clap::{Arg, Command, value_parser};

use super::output::Output;
use super::{
    archive, backfill, command, completions, config, describe, dev, doctor, events, export, import, infra,
    ledger, new_key, operations, parked, projections, schema, serve, streams,
};
use crate::App;

/// Every command of a binary.
pub(super) fn command(app: &App) -> Command {
    let own = app.commands.iter().map(|(command, _)| command.clone());
    Command::new(app.name)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args([
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("The configuration; headwater.toml when it is there"),
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .global(true)
                .help("The server to ask; the setting client.server"),
            Arg::new("output")
                .long("output")
                .value_name("FORM")
                .global(true)
                .value_parser(Output::parser())
                .default_value("human")
                .help("How data is written"),
        ])
        .subcommands([
            dev::command(),
            serve::command(),
            command::command(),
            streams::command(),
            events::command(),
            import::command(),
            export::command(),
            archive::command(),
            ledger::command(),
            backfill::command(),
            projections::command(),
            operations::command(),
            parked::command(),
            schema::command(),
            infra::command(),
            doctor::command(),
            config::command(),
            new_key::command(),
            completions::command(),
        ])
        .subcommands(describe::commands())
        .subcommands(own)
}
