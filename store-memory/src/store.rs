//! The store: finds the shards a request is about, locks them, and leaves the rest to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::{
    Append, Appended, Capabilities, Page, Read, Scan, ScanPage, StoreError, Transaction, limits,
};
use headwater::{EventStore, StreamName};

use crate::page::page;
use crate::shard::{SHARDS, Shard, shard_number};
use crate::transaction::Locked;

/// Streams and feed in memory. Clones share the content.
///
/// Streams are spread over 16 shards, each behind a lock of its own: appends to streams of different shards never wait
/// for each other. A commit costs the same however long its stream is.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shards: Arc<[Shard; SHARDS]>,
    page_commits: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_page(limits::PAGE_COMMITS)
    }

    /// An empty store that gives at most `commits` commits a page, at least one: tiny pages find readers that stop
    /// after the first.
    #[must_use]
    pub fn with_page(commits: usize) -> Self {
        Self { shards: Arc::default(), page_commits: commits.max(1) }
    }

    /// What is asked for, but not more than a page and not less than one commit.
    pub(crate) fn page_limit(&self, asked: usize) -> usize {
        asked.clamp(1, self.page_commits)
    }

    pub(crate) fn shard(&self, number: usize) -> Option<&Shard> {
        self.shards.get(number)
    }

    fn shard_of(&self, stream: &StreamName) -> &Shard {
        self.shard(shard_number(stream)).expect("a shard number is a remainder of the number of shards")
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new("memory");
        capabilities.page_commits = self.page_commits;
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        let shard = self.shard_of(&append.stream);
        let (commit, own_retry) = shard.write().append(append)?;
        if !own_retry {
            shard.wake_readers();
        }
        Ok(Appended { commit, own_retry })
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        transaction.check(&self.capabilities())?;
        let numbers: BTreeSet<usize> = transaction.streams().map(shard_number).collect();
        let shards = || numbers.iter().filter_map(|number| Some((*number, self.shard(*number)?)));
        let appended = {
            let mut locked = Locked::new(shards());
            if let Some(earlier) = locked.judge(&transaction)? {
                return Ok(earlier);
            }
            locked.write(transaction.appends)
        };
        shards().for_each(|(_, shard)| shard.wake_readers());
        Ok(appended)
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let limit = self.page_limit(read.limit);
        Ok(page(self.shard_of(stream).read().commits(stream), &read, limit))
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.scan_page(&scan)
    }
}
