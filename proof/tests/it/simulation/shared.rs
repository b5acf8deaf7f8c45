//! What all workers share: the ledger, the feed, the rows, the leases, and the air between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use headwater::{Commit, StreamName};
use headwater_projections::MemoryRows;
use headwater_projections::group::MemoryLeases;
use headwater_proof::simulation::{Air, lock};
use headwater_store_memory::MemoryStore;

use super::feed::Feed;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) air: Air,
    pub(crate) ledger: MemoryStore,
    pub(crate) feed: Mutex<Feed>,
    pub(crate) rows: MemoryRows,
    pub(crate) leases: MemoryLeases,
    /// The commits of each stream, for the checks alone.
    pub(crate) streams: Mutex<BTreeMap<StreamName, Vec<Arc<Commit>>>>,
}

/// What a future gives that never waits: all stores are in memory.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a store in memory does not wait")
}

impl Shared {
    pub(crate) fn new(partitions: usize, rarity: u64) -> Self {
        Self {
            air: Air::new(rarity),
            ledger: MemoryStore::new(),
            feed: Mutex::new(Feed::new(partitions)),
            rows: MemoryRows::new(),
            leases: MemoryLeases::new(),
            streams: Mutex::default(),
        }
    }

    pub(crate) fn commits(&self, stream: &StreamName) -> Vec<Arc<Commit>> {
        lock(&self.streams).get(stream).cloned().unwrap_or_default()
    }
}
