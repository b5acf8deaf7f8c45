//! The feed: the partitioned, ordered log of commits. A hint, never the truth (L2).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::{Commit, Timestamp};

/// The id of a partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionId(pub Arc<str>);

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a partition: decimal digits, compared by length, then text. Opaque to all but the feed.
///
/// Kinesis sequence numbers have up to 129 digits and fit no integer type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub Arc<str>);

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}
impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A partition of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partition {
    /// Its id.
    pub id: PartitionId,
    /// The partitions that must be read to their end before this one.
    pub parents: Vec<PartitionId>,
}

impl Partition {
    /// A partition without parents.
    #[must_use]
    pub fn new(id: PartitionId) -> Self {
        Self { id, parents: Vec::new() }
    }
}

/// A commit as the feed hands it out.
#[derive(Debug, Clone)]
pub struct FeedRecord {
    /// Where it stands.
    pub position: Position,
    /// The commit.
    pub commit: Arc<Commit>,
    /// Whether the publisher knows that it was published before.
    pub redelivered: bool,
}

/// A batch of a partition.
#[derive(Debug, Clone, Default)]
pub struct FeedBatch {
    /// The records, in order; may be empty although more follows.
    pub records: Vec<FeedRecord>,
    /// The position to read after next time; `None` when nothing was read yet.
    pub next: Option<Position>,
    /// Whether the partition is closed and was read to its end.
    pub ended: bool,
}

/// How far a place in a partition is behind the newest record, as far as a backend knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// So many records follow.
    pub records: Option<u64>,
    /// The newest record came so much later than the last one read.
    pub time: Option<Duration>,
}

/// The feed of a backend.
///
/// # Delivery
/// Every commit at least once, in any order between streams; a reader must expect repeats and gaps of one stream and
/// turn to the [`EventStore`](super::EventStore) for what is missing.
#[async_trait]
pub trait EventFeed: Send + Sync + fmt::Debug {
    /// The partitions there are now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the backend cannot be reached.
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError>;

    /// Reads at most `limit` records after a position, from the oldest when there is none.
    ///
    /// # Errors
    /// [`StoreError::Position`] when the partition or position is not of this feed.
    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError>;

    /// Reads at most `limit` records, beginning with the first of the partition that was recorded at `since` or later.
    /// Clocks differ, so what comes first may be a little older; nothing newer is left out. Go on with
    /// [`read_after`](Self::read_after) once the batch has a `next`.
    ///
    /// # Errors
    /// As [`read_after`](Self::read_after).
    ///
    /// # Cost
    /// Unless the backend can do better: every record of the partition before that time is read.
    async fn read_since(
        &self,
        partition: &PartitionId,
        since: Timestamp,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let mut position = None;
        loop {
            let mut batch = self.read_after(partition, position.as_ref(), limit).await?;
            let first = batch.records.iter().position(|record| record.commit.recorded_at >= since);
            batch.records.drain(..first.unwrap_or(batch.records.len()));
            let stands = batch.next.is_none() || batch.next == position;
            if first.is_some() || batch.ended || stands {
                return Ok(batch);
            }
            position.clone_from(&batch.next);
        }
    }

    /// Waits until there may be something new after a position, at most `timeout`. It may return early.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration);

    /// How far a position is behind, as the backend knew when it was read there. It asks nobody, and what is not known is
    /// left out.
    fn behind(&self, _partition: &PartitionId, _position: Option<&Position>) -> Behind {
        Behind::default()
    }
}
