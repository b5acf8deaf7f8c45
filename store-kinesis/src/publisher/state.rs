//! How publishing is going, in numbers and in words.

use std::fmt;
use std::time::Duration;

use headwater::store::StoreError;

use super::room::Taken;

/// What waits to be published, and how it is going.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublisherState {
    /// Commits that are written and not published, those in flight included.
    pub waiting_commits: usize,
    /// Bytes of their records, at most.
    pub waiting_bytes: usize,
    /// Those of them that are in a request now.
    pub in_flight: usize,
    /// For how long something waits and nothing was published; nothing when nothing waits.
    pub silent_for: Option<Duration>,
    /// How Kinesis answers.
    pub condition: Condition,
}

/// How Kinesis answers to publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// As it should.
    Flowing,
    /// It takes less than it is given.
    Throttled,
    /// Several requests failed one after the other; it is tried from time to time.
    Broken {
        /// The last error.
        error: String,
    },
}

/// Why there is no room for a commit. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// Too much is under way.
    #[error("{taken} wait for stream {stream}, the limit is {most}; {state}")]
    Queue {
        /// The Kinesis stream.
        stream: String,
        /// Commits that are being written or wait to be published.
        taken: Taken,
        /// The limit.
        most: Taken,
        /// How publishing is going.
        state: PublisherState,
        /// When to try again.
        retry_after: Duration,
    },
    /// The process is about to end.
    #[error("this process is stopping and takes no more commits: send the command to another one")]
    Stopping {
        /// When to try again.
        retry_after: Duration,
    },
}

impl From<Full> for StoreError {
    fn from(full: Full) -> Self {
        let (Full::Queue { retry_after, .. } | Full::Stopping { retry_after }) = full;
        Self::Overloaded { reason: full.to_string(), retry_after: Some(retry_after) }
    }
}

impl fmt::Display for PublisherState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.condition)?;
        match self.silent_for {
            Some(silent) => write!(f, ", nothing was published for {:.1} s", silent.as_secs_f64()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flowing => f.write_str("Kinesis takes records"),
            Self::Throttled => f.write_str("Kinesis throttles"),
            Self::Broken { error } => write!(f, "Kinesis fails: {error}"),
        }
    }
}
