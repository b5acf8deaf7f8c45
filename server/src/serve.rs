//! `serve`: a server on AWS.

use std::net::SocketAddr;
use std::time::Duration;

use headwater::store::StoreError;
use headwater_store_kinesis::infra;
use tokio::net::TcpListener;

use crate::App;
use crate::backends::{Backends, ConnectError, Connection, Names, reach};
use crate::exit::{Exit, complain, with_causes};
use crate::serving::{Limits, Role, Serving};

/// Tries to reach the backends before a server gives up.
const TRIES: u32 = 6;
/// The pause after the first try; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// What `serve` was told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) role: Role,
    pub(crate) only: Option<Vec<String>>,
    /// The port of the `dev` of this machine on whose look-alikes it works, instead of AWS.
    pub(crate) dev: Option<u16>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(
        "{listen} can be reached from elsewhere, and nobody would be asked who they are: listen on 127.0.0.1"
    )]
    Open { listen: SocketAddr },
    #[error("--only is for --role worker: a process that answers for read models keeps them all")]
    Only,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("what the server needs is not there: {differences}; run `infra apply`")]
    Missing { differences: String },
    #[error("the backends cannot be reached")]
    Unreachable { source: StoreError },
    #[error("{listen} cannot be taken: choose another with --listen")]
    Taken { listen: SocketAddr, source: std::io::Error },
}

/// Serves until a signal.
pub(crate) async fn run(app: App, options: Options) -> Exit {
    let serving = match prepare(&app, options).await {
        Ok(serving) => serving,
        Err(error) => {
            complain(&error);
            return match error {
                ServeError::Open { .. } | ServeError::Missing { .. } => Exit::Config,
                ServeError::Only => Exit::Usage,
                ServeError::Connect(_) | ServeError::Unreachable { .. } => Exit::Unreachable,
                ServeError::Taken { .. } => Exit::Failed,
            };
        }
    };
    let ready = |address, _: &Backends| {
        say(&format!("{} is ready at http://{address} (stop with SIGTERM)", app.name));
    };
    serving.run(&app, ready).await
}

async fn prepare(app: &App, options: Options) -> Result<Serving, ServeError> {
    let Options { listen, role, only, dev } = options;
    if !listen.ip().is_loopback() {
        return Err(ServeError::Open { listen });
    }
    if only.is_some() && role != Role::Worker {
        return Err(ServeError::Only);
    }
    let connection = reach(dev, Names::of(app.name)).await?;
    let config = connection.store_config();
    reached(&connection, &config).await?;
    let listener = TcpListener::bind(listen).await.map_err(|source| ServeError::Taken { listen, source })?;
    let backends = Backends::open(connection, &config);
    Ok(Serving { listener, backends, limits: Limits::default(), role, only })
}

/// Makes first contact: what the server needs must be there.
async fn reached(
    connection: &Connection,
    config: &headwater_store_kinesis::Config,
) -> Result<(), ServeError> {
    let mut pause = PAUSE;
    for tries in 1.. {
        match infra::check(&connection.clients, config).await {
            Ok(differences) if differences.is_empty() => return Ok(()),
            Ok(differences) => {
                let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
                return Err(ServeError::Missing { differences: differences.join("; ") });
            }
            Err(source) if tries == TRIES => return Err(ServeError::Unreachable { source }),
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
