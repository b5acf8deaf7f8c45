//! Why a backfill ended.

use headwater::store::StoreError;
use headwater::{StreamName, Version};

use super::HistoryError;
use crate::group::{GenerationError, LeaseError};
use crate::rows::RowError;

/// An error of a backfill. The live generation is as it was; what was built so far stays, and the same command goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// History cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The ledger cannot be read.
    #[error("the ledger cannot be read")]
    Ledger(#[from] StoreError),
    /// Rows cannot be read or written.
    #[error("the rows of the new generation cannot be read or written")]
    Rows(#[from] RowError),
    /// The control table cannot be read or written.
    #[error("the progress of the backfill cannot be read or written")]
    Leases(#[from] LeaseError),
    /// The generations do not allow it.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// A version of a stream is nowhere, though a later one is there.
    #[error(
        "version {version} of stream {stream} is neither in the history nor in the ledger: nothing was switched"
    )]
    Hole {
        /// The stream.
        stream: StreamName,
        /// The version.
        version: Version,
    },
    /// A slot is too large and cannot be halved any more.
    #[error(
        "the rows do not fit into {budget} bytes, not even in {slots} slots: give more with --memory; a shared \
         projection needs room for every stream as well"
    )]
    Memory {
        /// The budget.
        budget: usize,
        /// The slots.
        slots: u64,
    },
    /// Somebody else changed the generations again and again.
    #[error("the generations of projection {projection} are being changed by others: try again")]
    Contended {
        /// The projection.
        projection: String,
    },
    /// The live generation was not changed.
    #[error(transparent)]
    Switch(Box<super::SwitchError>),
    /// Rows are not what a fold of their own gives.
    #[error("{count} rows differ from a fold of the ledger, the first is {first:?}: nothing was switched")]
    Differs {
        /// How many.
        count: u64,
        /// The key of the first.
        first: String,
    },
    /// Streams that are not parked in the live generation are parked in the new one.
    #[error(
        "{count} streams cannot be applied by this version of the code, the first is {first}: nothing was switched; \
         correct the code and drop generation {generation}, or promote it by hand"
    )]
    Parked {
        /// How many.
        count: u64,
        /// The first.
        first: StreamName,
        /// The generation.
        generation: u32,
    },
    /// The live rows were made by other code.
    #[error(
        "the live generation of projection {projection} was made by version {live} of its code, and this is version \
         {code}: compare it with a binary of version {live}, or rebuild it"
    )]
    OtherVersion {
        /// The projection.
        projection: String,
        /// The version that made the live generation; 0 when that is not known.
        live: u32,
        /// The version of this code.
        code: u32,
    },
    /// Events were passed over by order, so that no fold gives the row.
    #[error(
        "events of stream {stream} were passed over by order for projection {projection}, so what it fed cannot be \
         compared with a fold: rebuild the projection if the events should count after all"
    )]
    PassedOver {
        /// The projection.
        projection: String,
        /// The stream.
        stream: StreamName,
    },
    /// It was asked to stop. What is done stays done.
    #[error("stopped; the same command goes on")]
    Stopped,
    /// A task panicked. That is a defect of Headwater or of a store.
    #[error("a task of the backfill panicked")]
    Panicked(#[from] tokio::task::JoinError),
}
