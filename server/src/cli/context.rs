//! What a command works with.

use clap::{Arg, ArgMatches, value_parser};
use serde_json::Value;

use super::api::Api;
use super::error::CliError;
use super::output::Output;
use crate::App;
use crate::backends::{Connection, reach};
use crate::config::{Config, Settings};
use crate::observe::Traces;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) app: App,
    pub(crate) config: Config,
    pub(crate) output: Output,
    /// The way of traces out of the process.
    pub(crate) traces: Traces,
}

impl Context {
    /// The server that was named, or the one of the configuration.
    pub(crate) fn api(&self) -> Result<Api, CliError> {
        let client = &self.config.settings.client;
        Api::new(&client.server, client.key.as_ref())
    }

    /// The look-alikes of a `dev`, when `--dev` was said, or AWS.
    pub(crate) async fn connection(&self, arguments: &ArgMatches) -> Result<Connection, CliError> {
        let dev = arguments.get_one::<u16>("dev").copied();
        let Settings { aws, client, .. } = &self.config.settings;
        Ok(reach(dev, aws.clone(), client.key.as_ref()).await?)
    }

    /// Writes data to standard output.
    pub(crate) fn print(&self, data: &Value) -> Result<(), CliError> {
        let failed = |source| CliError::Io { what: "standard output".to_owned(), source };
        match self.output.print(data) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(failed),
        }
    }
}

/// The argument of commands that work on AWS: instead on the look-alikes of a `dev` that runs on this machine.
pub(crate) fn dev_argument() -> Arg {
    Arg::new("dev")
        .long("dev")
        .value_name("PORT")
        .value_parser(value_parser!(u16).range(1..))
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("8080")
        .help("Work on the `dev` that runs at this port of this machine, instead of AWS")
}
