//! Which generations of a read model there are, and which one is live.

use clap::ArgMatches;
use headwater_projections::GROUP;
use headwater_projections::backfill::{Switch, SwitchError};
use headwater_projections::group::{Generations, Stage};
use serde_json::Value;

use super::arguments::verb;
use super::run::switch_exit;
use crate::cli::confirm::confirm;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::exit::{Exit, complain};
use crate::rebuild::stores;

/// What is to be done, to which projection and generation.
#[derive(Debug)]
pub(super) enum Verb {
    List,
    Promote(String, u32, bool),
    Rollback(String, bool),
    Drop(String, u32),
}

/// Does it, and prints the generations as they are then.
pub(in crate::cli) async fn run(
    context: &Context,
    name: &str,
    arguments: &ArgMatches,
) -> Result<Exit, CliError> {
    let verb = verb(name, arguments).ok_or_else(|| CliError::usage("projections does not do that"))?;
    if let Verb::Drop(projection, generation) = &verb {
        confirm(
            arguments,
            &format!("generation {generation} of {projection} and all its rows will be gone"),
        )?;
    }
    let (rows, leases) = stores(&context.connection(arguments).await?);
    let switch = Switch::new(leases, rows, GROUP);
    let done = match &verb {
        Verb::List => list(context, &switch).await,
        Verb::Promote(projection, number, force) => one(switch.promote(projection, *number, *force).await),
        Verb::Rollback(projection, force) => one(switch.rollback(projection, *force).await),
        Verb::Drop(projection, number) => one(switch.drop_generation(projection, *number).await),
    };
    match done {
        Ok(all) => {
            print(context, &all)?;
            Ok(Exit::Done)
        }
        Err(error) => {
            complain(&error);
            Ok(switch_exit(&error))
        }
    }
}

fn one(done: Result<Generations, SwitchError>) -> Result<Vec<Generations>, SwitchError> {
    done.map(|generations| vec![generations])
}

async fn list(context: &Context, switch: &Switch) -> Result<Vec<Generations>, SwitchError> {
    let mut all = Vec::new();
    for kept in context.app.kept() {
        match switch.generations(kept.name).await {
            Ok(generations) => all.push(generations),
            Err(SwitchError::NotDeployed { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn print(context: &Context, all: &[Generations]) -> Result<(), CliError> {
    let mut rows: Vec<Value> = Vec::new();
    for generations in all {
        let projection = &generations.projection;
        let code = context.app.kept().iter().find(|kept| *kept.name == **projection);
        let code = code.map(|kept| kept.version);
        for (number, made) in &generations.made {
            let live = *number == generations.live;
            let kept = match made.stage {
                Stage::Filling => "being filled",
                Stage::Following if Some(made.version) == code => "yes",
                Stage::Following => "by code of its version only",
            };
            rows.push(serde_json::json!({
                "projection": projection, "generation": number, "version": made.version, "live": live, "kept": kept,
            }));
            if live && Some(made.version) != code && context.output == Output::Human {
                eprintln!("a rebuild of {projection} is needed: backfill {projection}");
            }
        }
    }
    context.print(&Value::Array(rows))
}
