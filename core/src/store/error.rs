//! What can go wrong in a store, named by situation; every error says whether trying again helps.

use std::sync::Arc;
use std::time::Duration;

use super::Invalid;
use crate::{Commit, CommitId, Expected, StreamName, Version};

/// The cause below an error of a store.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The stream was not at the expected version. Nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("stream {stream} is at version {actual}, expected {expected}")]
pub struct Conflict {
    /// The stream.
    pub stream: StreamName,
    /// What the writer expected.
    pub expected: Expected,
    /// The version the stream has, as far as the store knows without another request: at least the end of the
    /// winner. Of a store without stale reads it is the head.
    pub actual: Version,
    /// The commit that took the place, when the store had it at hand without another request.
    pub winner: Option<Arc<Commit>>,
}

/// An error of an [`EventStore`](super::EventStore) or an [`EventFeed`](super::EventFeed).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer was first. Nothing was written.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The request breaks a limit or a rule. Nothing was written.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store takes no more for now. Nothing was written.
    #[error("the store is overloaded: {reason}")]
    Overloaded {
        /// What is full or throttled.
        reason: String,
        /// When to try again, if the store knows.
        retry_after: Option<Duration>,
    },
    /// The store cannot be reached. Nothing was written.
    #[error("the store is unavailable while trying to {attempted}")]
    Unavailable {
        /// What was tried.
        attempted: String,
        /// Why.
        source: Source,
    },
    /// The answer was lost: the write may have happened. Appending the same commit id again is safe.
    #[error(
        "the outcome of commit {commit} to {stream} is unknown: a repeat under the same command key or commit id is safe"
    )]
    OutcomeUnknown {
        /// The stream.
        stream: StreamName,
        /// The commit.
        commit: CommitId,
        /// Why.
        source: Source,
    },
    /// What is stored cannot be read. Trying again does not help.
    #[error("stream {stream} cannot be read at version {version}: {reason}")]
    Corrupt {
        /// The stream.
        stream: StreamName,
        /// Where.
        version: Version,
        /// What is wrong.
        reason: String,
    },
    /// The feed does not have this partition or position.
    #[error("feed position is not valid: {reason}")]
    Position {
        /// What is wrong.
        reason: String,
    },
}

/// The kind of a [`StoreError`], for metrics and decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// See [`StoreError::Conflict`].
    Conflict,
    /// See [`StoreError::Invalid`].
    Invalid,
    /// See [`StoreError::Overloaded`].
    Overloaded,
    /// See [`StoreError::Unavailable`].
    Unavailable,
    /// See [`StoreError::OutcomeUnknown`].
    OutcomeUnknown,
    /// See [`StoreError::Corrupt`].
    Corrupt,
    /// See [`StoreError::Position`].
    Position,
}

impl StoreError {
    /// A conflict.
    #[must_use]
    pub fn conflict(
        stream: StreamName,
        expected: Expected,
        actual: Version,
        winner: Option<Arc<Commit>>,
    ) -> Self {
        Self::Conflict(Box::new(Conflict { stream, expected, actual, winner }))
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Position { .. } => ErrorKind::Position,
        }
    }

    /// Whether the same request may succeed later. A conflict may not: decide again first.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        matches!(self.kind(), ErrorKind::Overloaded | ErrorKind::Unavailable | ErrorKind::OutcomeUnknown)
    }
}
