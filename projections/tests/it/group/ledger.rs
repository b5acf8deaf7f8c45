//! A ledger in memory whose scans are slow and shaky, and counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{Append, Appended, Capabilities, Page, Read, Scan, ScanPage, StoreError, Transaction};
use headwater::{EventStore, StreamName};
use headwater_store_memory::MemoryStore;

use super::random::Random;
use super::stores::Fate;

#[derive(Debug)]
pub(crate) struct SlowLedger {
    store: MemoryStore,
    random: Mutex<Random>,
    rarity: usize,
    /// How long a page takes, in milliseconds, and how many commits it has at most.
    page: Mutex<(Duration, usize)>,
    scanned: AtomicU64,
}

impl SlowLedger {
    /// One of `rarity` scans fails; 0 is never.
    pub(crate) fn new(store: MemoryStore, rarity: usize, seed: u64) -> Self {
        let (random, page) = (Mutex::new(Random(seed)), Mutex::new((Duration::ZERO, 500)));
        Self { store, random, rarity, page, scanned: AtomicU64::new(0) }
    }

    /// From now on a page of a scan takes so long and has at most so many commits.
    pub(crate) fn slow_down(&self, page: Duration, commits: usize) {
        *self.page.lock().unwrap() = (page, commits);
    }

    /// How many commits all scans have given so far.
    pub(crate) fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for SlowLedger {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.store.append(append).await
    }
    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.store.append_all(transaction).await
    }
    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        self.store.read(stream, read).await
    }
    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        let fate = Fate::of(&self.random, self.rarity);
        fate.before().await;
        if fate.refused {
            return Err(StoreError::Unavailable { attempted: "scan".to_owned(), source: "shaky".into() });
        }
        let (pause, commits) = *self.page.lock().unwrap();
        tokio::time::sleep(pause).await;
        let limit = scan.limit.min(commits);
        let page = self.store.scan(scan.limit(limit)).await?;
        self.scanned.fetch_add(page.commits.len() as u64, Ordering::Relaxed);
        Ok(page)
    }
}
