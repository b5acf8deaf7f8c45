//! How a command fails.

use serde_json::Value;

use crate::backends::{ConnectError, StartError};
use crate::config::ConfigError;
use crate::exit::Exit;
use crate::http_client::HttpError;

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Refused(String),
    #[error("{server} says no")]
    Http { server: String, source: HttpError },
    #[error("{detail} ({slug})")]
    Problem { slug: String, status: u16, detail: String, body: Value },
    #[error("{server} does not answer as a server of Headwater does: {status}")]
    Stranger { server: String, status: u16 },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{what} cannot be read or written")]
    Io { what: String, source: std::io::Error },
    #[error("{what} is not JSON")]
    Json { what: String, source: serde_json::Error },
    #[error("{attempted} is not possible for now")]
    Unavailable { attempted: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(transparent)]
    Archive(Box<dyn std::error::Error + Send + Sync>),
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Json { .. } => Exit::Usage,
            Self::Config(_) | Self::Refused(_) => Exit::Config,
            Self::Connect(ConnectError::NoRegion | ConnectError::NoCredentials { .. }) => Exit::Config,
            Self::Http { .. } | Self::Connect(_) | Self::Unavailable { .. } => Exit::Unreachable,
            Self::Problem { status, .. } => of_status(*status),
            Self::Stranger { .. } | Self::Start(_) | Self::Io { .. } | Self::Archive(_) => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

/// What the status of a problem means for the exit code.
fn of_status(status: u16) -> Exit {
    match status {
        401 | 403 => Exit::Config,
        404 | 410 => Exit::NotFound,
        409 | 412 => Exit::Conflict,
        400 | 405 | 406 | 413 | 415 | 428 => Exit::Usage,
        408 | 504 => Exit::TimedOut,
        503 => Exit::Unreachable,
        _ => Exit::Failed,
    }
}
