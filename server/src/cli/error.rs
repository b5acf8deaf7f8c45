//! How a command fails.

use serde_json::Value;

use crate::backends::{ConnectError, StartError};
use crate::config::ConfigError;
use crate::exit::Exit;
use crate::http_client::HttpError;
use crate::problem::ProblemKind;

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Refused(String),
    #[error("{server} cannot be asked")]
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
            Self::Problem { slug, status, .. } => {
                ProblemKind::of_slug(slug).map_or_else(|| of_status(*status), ProblemKind::exit)
            }
            Self::Stranger { .. } | Self::Start(_) | Self::Io { .. } | Self::Archive(_) => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

/// What the status of a problem means for the exit code, if the server is newer and the catalogue does not have it.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(slug: &str, status: u16) -> CliError {
        CliError::Problem { slug: slug.to_owned(), status, detail: String::new(), body: Value::Null }
    }

    #[test]
    fn a_command_ends_with_the_exit_code_that_the_catalogue_has_for_a_problem() {
        for kind in ProblemKind::ALL {
            let exit = problem(kind.slug(), kind.status().as_u16()).exit();
            assert_eq!(exit as u8, kind.exit() as u8, "{}", kind.slug());
        }
    }

    #[test]
    fn a_problem_that_nobody_here_knows_is_told_by_its_status() {
        assert_eq!(problem("of-the-future", 412).exit() as u8, Exit::Conflict as u8);
        assert_eq!(problem("of-the-future", 418).exit() as u8, Exit::Failed as u8);
    }
}
