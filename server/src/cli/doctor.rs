//! `doctor`: what is wrong, and how to mend it.

use clap::{ArgMatches, Command};
use serde_json::json;

use super::context::{Context, dev_argument};
use super::error::CliError;
use crate::doctor::{Patient, Severity, WATCH, examine};
use crate::exit::Exit;

pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Look for what is wrong, and say how to mend it; exits with 7 when there is a problem")
        .arg(dev_argument())
}

pub(super) async fn run(context: &Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&context.config.settings.feed);
    let patient = Patient {
        connection,
        config,
        projections: context.app.kept(),
        now: jiff::Timestamp::now().as_second(),
        watch: WATCH,
    };
    let findings = examine(&patient).await;
    let sick = findings.iter().any(|finding| finding.severity == Severity::Problem);
    context.print(&json!({ "findings": findings }))?;
    Ok(if sick { Exit::Differences } else { Exit::Done })
}
