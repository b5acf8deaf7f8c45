//! What all workers share: the ledger, the feed, the rows, the leases, and what is still on its way to them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use headwater::{Commit, StreamName};
use headwater_projections::MemoryRows;
use headwater_projections::group::MemoryLeases;
use headwater_store_memory::MemoryStore;

use super::feed::Feed;
use super::trace::Trace;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: MemoryStore,
    pub(crate) feed: Mutex<Feed>,
    pub(crate) rows: MemoryRows,
    pub(crate) leases: MemoryLeases,
    /// The commits of each stream, for the checks alone.
    pub(crate) streams: Mutex<BTreeMap<StreamName, Vec<Arc<Commit>>>>,
    network: Mutex<Vec<Late>>,
    trace: Mutex<Trace>,
    broken: Mutex<Option<String>>,
    /// Milliseconds since the beginning; no worker sees it.
    now: Mutex<u64>,
    /// One of so many calls goes wrong; 0 is never.
    pub(crate) rarity: Mutex<u64>,
}

/// A request that arrives later, whether or not anybody waits for its answer.
struct Late {
    due: u64,
    work: Box<dyn FnOnce(&Shared) + Send>,
}

impl Debug for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Late").field("due", &self.due).finish_non_exhaustive()
    }
}

/// What a future gives that never waits: all stores are in memory.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a store in memory does not wait")
}

impl Shared {
    pub(crate) fn new(partitions: usize, rarity: u64) -> Self {
        Self {
            ledger: MemoryStore::new(),
            feed: Mutex::new(Feed::new(partitions)),
            rows: MemoryRows::new(),
            leases: MemoryLeases::new(),
            streams: Mutex::default(),
            network: Mutex::default(),
            trace: Mutex::default(),
            broken: Mutex::default(),
            now: Mutex::default(),
            rarity: Mutex::new(rarity),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        *lock(&self.now)
    }

    /// Time goes on; what is due arrives.
    pub(crate) fn pass(&self, millis: u64) {
        *lock(&self.now) += millis;
        let now = self.now();
        loop {
            let due = {
                let mut network = lock(&self.network);
                let at = network.iter().position(|late| late.due <= now);
                at.map(|at| network.remove(at))
            };
            match due {
                Some(late) => (late.work)(self),
                None => return,
            }
        }
    }

    pub(crate) fn send(&self, delay: u64, work: impl FnOnce(&Self) + Send + 'static) {
        let due = self.now() + delay;
        lock(&self.network).push(Late { due, work: Box::new(work) });
    }

    pub(crate) fn note(&self, line: &str) {
        let line = format!("{:>7} {line}", self.now());
        lock(&self.trace).add(line);
    }

    pub(crate) fn trace(&self) -> MutexGuard<'_, Trace> {
        lock(&self.trace)
    }

    /// A law is broken. Only the first time counts.
    pub(crate) fn broke(&self, law: String) {
        self.note(&format!("BROKEN {law}"));
        lock(&self.broken).get_or_insert(law);
    }

    pub(crate) fn broken(&self) -> Option<String> {
        lock(&self.broken).clone()
    }

    pub(crate) fn commits(&self, stream: &StreamName) -> Vec<Arc<Commit>> {
        lock(&self.streams).get(stream).cloned().unwrap_or_default()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a simulation is one thread")
}
