//! Errors of the runner.

use headwater::store::{PartitionId, StoreError};

use crate::rows::RowError;

/// Why a runner ended on its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The feed does not know a position it gave out.
    #[error("partition {partition} of the feed cannot be read on from where it was left")]
    Position {
        /// The partition.
        partition: PartitionId,
        /// Why.
        source: StoreError,
    },
    /// A task of the runner panicked. That is a defect of Headwater or of a store, not of a projection.
    #[error("a task of the runner panicked")]
    Panicked {
        /// What is known about it.
        source: tokio::task::JoinError,
    },
}

/// Why a batch could not be done for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaneError {
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error(transparent)]
    Ledger(#[from] StoreError),
}

impl LaneError {
    pub(super) fn retry_helps(&self) -> bool {
        match self {
            Self::Rows(error) => error.retry_helps(),
            Self::Ledger(error) => error.retry_helps(),
        }
    }
}
