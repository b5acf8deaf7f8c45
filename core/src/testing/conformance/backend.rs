//! What the suite needs to know of a backend: how to open a fresh store, and how much it can take.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::{FeedBatch, Partition, PartitionId, Position, StoreError};
use crate::{EventFeed, EventStore};

/// A backend under test.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Opens a fresh, empty store; checks run at the same time and must not see each other.
    async fn open(&self, pages: Pages) -> Opened;

    /// How much the checks ask of it.
    fn scale(&self) -> Scale {
        Scale::default()
    }
}

/// A store and the feed of its commits.
#[derive(Clone)]
pub struct Opened {
    /// The store.
    pub store: Arc<dyn EventStore>,
    /// Its feed.
    pub feed: Arc<dyn EventFeed>,
}

impl Opened {
    /// A store without a feed, for `store_conformance!(ledger: …)`. Its feed refuses everything.
    #[must_use]
    pub fn ledger(store: Arc<dyn EventStore>) -> Self {
        Self { store, feed: Arc::new(NoFeed) }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("store", &self.store).field("feed", &self.feed).finish()
    }
}

/// How many commits a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// As many as in production.
    Default,
    /// One or two, so that whoever stops after the first page is found.
    Tiny,
}

/// How much the checks ask of a backend. Slow ones ask for less; the laws stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scale {
    /// Events of the big stream; written in commits of 100.
    pub big_stream_events: u64,
    /// Writers that race on one stream.
    pub writers: u64,
    /// Commits of each racing writer.
    pub rounds: u64,
    /// How long one check may take, and how long a commit may need to reach the feed.
    pub patience: Duration,
}

impl Default for Scale {
    fn default() -> Self {
        Self { big_stream_events: 100_000, writers: 16, rounds: 25, patience: Duration::from_secs(60) }
    }
}

/// What a ledger without a feed answers to whoever reads it.
#[derive(Debug)]
struct NoFeed;

#[async_trait]
impl EventFeed for NoFeed {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        Err(no_feed())
    }

    async fn read_after(
        &self,
        _partition: &PartitionId,
        _position: Option<&Position>,
        _limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        Err(no_feed())
    }

    async fn wait(&self, _partition: &PartitionId, _position: Option<&Position>, _timeout: Duration) {}
}

fn no_feed() -> StoreError {
    StoreError::Position { reason: "this backend was opened as a ledger, without a feed".to_owned() }
}
