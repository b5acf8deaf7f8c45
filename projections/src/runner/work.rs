//! The seam between a group and what it does: the group sees to leases and checkpoints, the work to the records.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::{FeedBatch, PartitionId, Position, StoreError};
use headwater::{EventFeed, Timestamp};
use tokio::time::timeout;

use super::backoff::Stop;
use super::catch_up::Asks;
use super::limits::READ_PATIENCE;
use super::progress::Progress;
use crate::group::{Checkpoint, Items, Lease};

/// What a [`Group`](super::Group) does with a partition that it has the lease of. The [`Runner`](crate::Runner) keeps
/// rows; the archive writes files.
#[async_trait]
pub trait Work: Send + Sync + fmt::Debug {
    /// Whose checkpoints the leases keep, by name. One that a lease does not have starts at the oldest record.
    fn names(&self) -> Arc<[Arc<str>]>;

    /// Sees what the group looks like, once a round. The names may be others after that; readers notice for themselves.
    fn notice(&self, _items: &Items) {}

    /// Reads a partition from its checkpoints on until every name has come to its end: `true`; or until a stop is asked
    /// for: `false`. It is called anew, with memory of its own, each time the lease is taken.
    ///
    /// # Cancel safety
    /// The future is dropped when the lease is lost, at any point; others may be at work by then. What it writes must be
    /// safe under that.
    async fn read(&self, assignment: Assignment) -> bool;
}

/// A partition to be read, for as long as its lease is held.
#[derive(Debug, Clone)]
pub struct Assignment {
    pub(super) lease: Lease,
    pub(super) progress: Arc<Progress>,
    pub(super) asks: Asks,
    pub(super) stop: Stop,
}

/// Why a batch was not read.
#[derive(Debug)]
pub enum Unread {
    /// The feed does not have this position any more.
    Lost(StoreError),
    /// It could not be read for now. That is logged and shown.
    Failed,
}

impl Assignment {
    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &PartitionId {
        &self.lease.partition
    }

    /// The partitions that had to be read before it.
    #[must_use]
    pub fn parents(&self) -> &[PartitionId] {
        &self.lease.parents
    }

    /// How far a name had come when the lease was taken.
    #[must_use]
    pub fn checkpoint(&self, name: &str) -> Option<&Checkpoint> {
        self.lease.checkpoints.get(name)
    }

    /// Whether to come to an end, and waiting for that.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Reads a batch of the partition, and shows how that went.
    ///
    /// # Errors
    /// [`Unread`]; reading from `from` again helps only when it is [`Failed`](Unread::Failed).
    pub async fn read_after(
        &self,
        feed: &dyn EventFeed,
        from: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, Unread> {
        let partition = self.partition();
        let reason = match timeout(READ_PATIENCE, feed.read_after(partition, from, limit)).await {
            Ok(Ok(batch)) => {
                self.progress.answered(batch.records.len(), batch.records.is_empty());
                return Ok(batch);
            }
            Ok(Err(error @ StoreError::Position { .. })) if from.is_some() => {
                return Err(Unread::Lost(error));
            }
            Ok(Err(error)) => {
                let gone = matches!(error, StoreError::Position { .. });
                self.progress.unreadable(error.to_string(), gone);
                error.to_string()
            }
            Err(_) => {
                let reason = "the feed did not answer in time".to_owned();
                self.progress.unreadable(reason.clone(), false);
                reason
            }
        };
        tracing::warn!(%partition, reason, "the feed cannot be read, trying again");
        Err(Unread::Failed)
    }

    /// So many records that were read have been dealt with, up to one made at this time.
    pub fn dealt_with(&self, records: usize, newest: Option<Timestamp>) {
        self.progress.dealt_with(records, newest);
    }

    /// Everything up to this checkpoint is done, so it may be saved with the lease (L7).
    pub fn done(&self, name: &Arc<str>, checkpoint: Checkpoint) {
        self.progress.done(name, checkpoint);
    }

    /// A checkpoint is lost: the loss is shown, and counted in the lease.
    pub fn position_lost(&self) {
        self.progress.position_lost(&BTreeSet::new());
    }

    /// The same, after it is written down that these names have to catch up from the ledger; `false` if it cannot be
    /// written down for now, and then nobody may go on.
    pub(super) async fn catch_up(&self, names: &BTreeSet<Arc<str>>) -> bool {
        let asked = self.asks.ask(names).await;
        if asked {
            self.progress.position_lost(names);
        } else {
            let reason = "the checkpoint is lost, and it cannot be noted that the ledger is to be read";
            self.progress.unreadable(reason.to_owned(), false);
        }
        asked
    }
}
