//! Where somebody is in a partition.

use headwater::Timestamp;
use headwater::store::{EventFeed, FeedBatch, PartitionId, Position, StoreError};

/// A place in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before its oldest record.
    Begin,
    /// Before the first record of this time; nothing was read since.
    Since(Timestamp),
    /// Behind a record.
    After(Position),
}

impl Place {
    pub(crate) fn position(&self) -> Option<&Position> {
        match self {
            Self::After(position) => Some(position),
            Self::Begin | Self::Since(_) => None,
        }
    }

    /// Reads from here on.
    pub(super) async fn read(
        &self,
        feed: &dyn EventFeed,
        partition: &PartitionId,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        match self {
            Self::Begin => feed.read_after(partition, None, limit).await,
            Self::Since(time) => feed.read_since(partition, *time, limit).await,
            Self::After(position) => feed.read_after(partition, Some(position), limit).await,
        }
    }

    /// The place behind a batch that was read from here.
    pub(super) fn behind(&self, batch: &FeedBatch) -> Self {
        match (&batch.records.last(), &batch.next) {
            (_, Some(next)) => Self::After(next.clone()),
            (Some(last), None) => Self::After(last.position.clone()),
            (None, None) => self.clone(),
        }
    }
}
