//! Which problems the errors of the layers below are.

use headwater::codec::CommandError;
use headwater::execute::ErasedRefusal;
use headwater::store::{ErrorKind, Invalid, StoreError};
use headwater::{ExecuteError, NameError};
use headwater_projections::ReadError;
use headwater_projections::rows::RowError;
use serde::Serialize;

use super::{Problem, ProblemKind};

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::UnknownName { .. } => Self::not_found(error.to_string()),
            CommandError::Content { ref path, .. } => {
                let path = path.clone();
                Self::invalid(error.to_string()).with("field", path)
            }
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Conflict => ProblemKind::ConcurrentModification,
            ErrorKind::Invalid => ProblemKind::TooLarge,
            ErrorKind::Overloaded => ProblemKind::Overloaded,
            ErrorKind::OutcomeUnknown => ProblemKind::OutcomeUnknown,
            ErrorKind::Corrupt => ProblemKind::Unreadable,
            ErrorKind::Position => ProblemKind::InvalidRequest,
            _ => ProblemKind::Unavailable,
        };
        let kind = match &error {
            // Naming a stream twice is the client's mistake, not a matter of size.
            StoreError::Invalid(Invalid::StreamTwice { .. } | Invalid::EmptyTransaction) => {
                ProblemKind::InvalidRequest
            }
            _ => kind,
        };
        if matches!(kind, ProblemKind::Unreadable | ProblemKind::Unavailable) {
            tracing::error!(error = ?error, "the store failed");
        }
        let problem = Self::new(kind, error.to_string());
        match kind {
            ProblemKind::OutcomeUnknown => problem.with("outcome", "unknown"),
            _ => problem,
        }
    }
}

impl Problem {
    /// The problem that an error of the executor is, whatever the aggregate: for routes of the application.
    #[must_use]
    pub fn of<R: std::error::Error + Serialize>(error: ExecuteError<R>) -> Self {
        error.map_refusal(|refusal| ErasedRefusal::new(&refusal)).into()
    }
}

impl From<ExecuteError<ErasedRefusal>> for Problem {
    fn from(error: ExecuteError<ErasedRefusal>) -> Self {
        let detail = error.to_string();
        match error {
            ExecuteError::Refused { refusal, version } => Self::new(ProblemKind::CommandRejected, detail)
                .with("code", refusal.code)
                .with("refusal", refusal.fields)
                .with("current_version", version.0),
            ExecuteError::Precondition { stream, expected, actual, events_since } => {
                let problem = Self::new(ProblemKind::PreconditionFailed, detail)
                    .with("stream", stream.as_str())
                    .with("current_version", actual.0)
                    .with("events_since", events_since);
                match expected {
                    headwater::Expected::Exact(version) => problem.with("expected_version", version.0),
                    other => problem.with("expected", other.to_string()),
                }
            }
            ExecuteError::KeyReused { first, .. } => {
                Self::new(ProblemKind::IdempotencyKeyReused, detail).with("first_version", first.0)
            }
            ExecuteError::Contended { .. } => Self::new(ProblemKind::ConcurrentModification, detail),
            ExecuteError::Store(error) => error.into(),
            ExecuteError::Undecodable(error) => {
                tracing::error!(error = ?error, "an event cannot be decoded");
                Self::new(ProblemKind::Unreadable, detail)
            }
            other => {
                tracing::error!(error = ?other, "a command failed");
                Self::new(ProblemKind::Unreadable, detail)
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::UnknownProjection { .. } | ReadError::NotRead { .. } => ProblemKind::NotFound,
            ReadError::TooManyWaiters { .. } | ReadError::Rows(RowError::Overloaded { .. }) => {
                ProblemKind::Overloaded
            }
            ReadError::OtherVersion { .. } => ProblemKind::RebuildNeeded,
            ReadError::UnknownIndex { .. } | ReadError::Rows(RowError::Invalid { .. }) => {
                ProblemKind::InvalidRequest
            }
            ReadError::Rows(RowError::Corrupt { .. }) => ProblemKind::Unreadable,
            _ => ProblemKind::Unavailable,
        };
        if matches!(kind, ProblemKind::Unavailable | ProblemKind::Unreadable) {
            tracing::error!(error = ?error, "the row store failed");
        }
        Self::new(kind, error.to_string())
    }
}
