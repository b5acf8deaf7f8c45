//! Stores with a broken feed.

use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{FeedBatch, PartitionId, Position};
use headwater::testing::conformance::Opened;
use headwater_store_memory::MemoryStore;

use super::decorator::{Fault, with};

/// Leaves the third commit of every partition out.
pub(super) fn drops_a_commit(store: MemoryStore) -> Opened {
    with(store, Drops)
}
struct Drops;
impl Fault for Drops {
    fn batch(&self, _: &PartitionId, batch: &mut FeedBatch) {
        batch.records.retain(|record| &*record.position.0 != "3");
    }
}

/// Hands out the commits of a batch newest first; the positions are in order.
pub(super) fn swaps_commits(store: MemoryStore) -> Opened {
    with(store, Swaps)
}
struct Swaps;
impl Fault for Swaps {
    fn batch(&self, _: &PartitionId, batch: &mut FeedBatch) {
        let positions: Vec<_> = batch.records.iter().map(|record| record.position.clone()).collect();
        batch.records.reverse();
        batch.records.iter_mut().zip(positions).for_each(|(record, position)| record.position = position);
    }
}

/// Never wakes a reader before its time is up.
pub(super) fn wakes_nobody(store: MemoryStore) -> Opened {
    with(store, Sleeps)
}
struct Sleeps;
#[async_trait]
impl Fault for Sleeps {
    async fn wait(&self, _: &MemoryStore, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        tokio::time::sleep(timeout).await;
    }
}
