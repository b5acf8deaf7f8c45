//! `serve`: a server on AWS.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use headwater_store_kinesis::infra;
use tokio::net::TcpListener;

use super::context::{Context, dev_argument};
use super::error::CliError;
use crate::auth::Auth;
use crate::backends::{Backends, Connection};
use crate::exit::{Exit, with_causes};
use crate::serving::{Role, Serving};

/// Tries to reach the backends before a server gives up.
const TRIES: u32 = 6;
/// The pause after the first try; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn command() -> Command {
    Command::new("serve").about("Run a server on AWS").args([
        Arg::new("listen")
            .long("listen")
            .value_name("ADDRESS")
            .help("Address and port; the setting server.listen, 127.0.0.1:8080 unless it is set"),
        Arg::new("role")
            .long("role")
            .value_name("ROLE")
            .value_parser(Role::parser())
            .default_value("all")
            .help("What this process does"),
        Arg::new("only")
            .long("only")
            .value_name("P1,P2")
            .value_delimiter(',')
            .help("Keep only these read models, as a group of their own; with --role worker"),
        Arg::new("insecure")
            .long("insecure")
            .action(ArgAction::SetTrue)
            .help("Let others than this machine ask without saying who they are"),
        dev_argument(),
    ])
}

/// Serves until a signal.
pub(super) async fn run(context: Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let settings = &context.config.settings;
    let role = *arguments.get_one::<Role>("role").expect("it has a default");
    let only: Option<Vec<String>> = arguments.get_many("only").map(|names| names.cloned().collect());
    if only.is_some() && role != Role::Worker {
        return Err(CliError::usage(
            "--only is for --role worker: a process that answers for read models keeps them all",
        ));
    }
    let listen = settings.server.listen;
    let anywhere = !listen.ip().is_loopback();
    if anywhere && settings.auth.is_open() && !settings.server.insecure {
        return Err(CliError::Refused(format!(
            "{listen} can be reached from elsewhere, and nobody would be asked who they are: configure auth.keys or \
             auth.jwt (`new-key` makes a key), listen on 127.0.0.1, or say --insecure"
        )));
    }
    let connection = context.connection(arguments).await?;
    let config = connection.store_config(&settings.feed);
    reached(&connection, &config).await?;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|source| CliError::Io {
        what: format!("address {listen} (choose another with --listen)"),
        source,
    })?;
    let serving = Serving {
        listener,
        backends: Backends::open(connection, &config),
        limits: settings.limits.clone(),
        auth: Auth::new(&settings.auth, anywhere),
        settings: context.config.show(),
        traces: context.traces.clone(),
        role,
        only,
    };
    let name = context.app.name;
    let ready =
        |address, _: &Backends| say(&format!("{name} is ready at http://{address} (stop with SIGTERM)"));
    Ok(serving.run(&context.app, ready).await)
}

/// Makes first contact: what the server needs must be there.
async fn reached(connection: &Connection, config: &headwater_store_kinesis::Config) -> Result<(), CliError> {
    let mut pause = PAUSE;
    for tries in 1.. {
        match infra::check(&connection.clients, config).await {
            Ok(differences) if differences.is_empty() => return Ok(()),
            Ok(differences) => {
                let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
                return Err(CliError::Refused(format!(
                    "what the server needs is not there: {}; run `infra apply`",
                    differences.join("; ")
                )));
            }
            Err(error) if tries == TRIES => {
                let attempted = "reaching the backends".to_owned();
                return Err(CliError::Unavailable { attempted, source: Box::new(error) });
            }
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "the backends cannot be reached, trying again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn say(line: &str) {
    eprintln!("{line}");
}
