//! The seam to the lease stores: three operations, two of them under a condition.

use std::fmt;

use async_trait::async_trait;

use super::{Item, ItemKey, Items};

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Saved {
    /// It was carried out.
    Done,
    /// The condition did not hold. This is there instead, if anything is, and can be read.
    ///
    /// It may be what an earlier try of the same write left, whose answer was lost.
    Lost(Option<Box<Item>>),
}

/// An error of a [`LeaseStore`]. What it was about may have happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The store cannot be reached, is throttled, or its answer was lost.
    #[error("the lease store is unavailable while trying to {attempted}")]
    Unavailable {
        /// What was tried.
        attempted: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Where the items of groups are kept. A backend is correct when it passes the conformance suite of the test kit.
#[async_trait]
pub trait LeaseStore: Send + Sync + fmt::Debug {
    /// Every item of a group, each as it was last written before the call.
    ///
    /// # Errors
    /// [`LeaseError`] when any page of them cannot be read; never a part of them instead.
    async fn list(&self, group: &str) -> Result<Items, LeaseError>;

    /// Writes an item if the one that is there has this counter; `None` asks that there is none.
    ///
    /// # Errors
    /// [`LeaseError`] when it is not known whether it was written.
    ///
    /// # Cancel safety
    /// When the future is dropped the item may or may not be written, whole in any case.
    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError>;

    /// Deletes an item if it has this counter. One that does not exist counts as deleted.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError>;
}
