//! Errors of the runner.

use headwater::store::StoreError;

use crate::rows::RowError;

/// Why a runner ended on its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The rows of a projection cannot be kept as it declares them.
    #[error("the rows of projection {projection} cannot be prepared")]
    Generation {
        /// The projection.
        projection: &'static str,
        /// Why.
        source: RowError,
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
pub(crate) enum LaneError {
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
