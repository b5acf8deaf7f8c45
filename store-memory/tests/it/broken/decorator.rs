//! A store and a feed that pass everything on, except what a fault changes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{
    Append, Appended, Capabilities, FeedBatch, Page, Partition, PartitionId, Position, Read, Scan, ScanPage,
    StoreError, Transaction,
};
use headwater::testing::conformance::Opened;
use headwater::{EventFeed, EventStore, StreamName};
use headwater_store_memory::MemoryStore;

/// What is wrong with a store. Every method passes on what it gets unless the fault says otherwise.
#[async_trait]
pub(super) trait Fault: Send + Sync + 'static {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        inner.append(append).await
    }

    async fn append_all(
        &self,
        inner: &MemoryStore,
        transaction: Transaction,
    ) -> Result<Vec<Appended>, StoreError> {
        inner.append_all(transaction).await
    }

    async fn read(&self, inner: &MemoryStore, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        inner.read(stream, read).await
    }

    async fn scan(&self, inner: &MemoryStore, scan: Scan) -> Result<ScanPage, StoreError> {
        inner.scan(scan).await
    }

    /// Changes a batch of the feed.
    fn batch(&self, _partition: &PartitionId, _batch: &mut FeedBatch) {}

    async fn wait(
        &self,
        inner: &MemoryStore,
        partition: &PartitionId,
        position: Option<&Position>,
        timeout: Duration,
    ) {
        inner.wait(partition, position, timeout).await;
    }
}

/// A memory store with a fault.
struct Faulty<F> {
    inner: MemoryStore,
    fault: F,
}

/// Opens a memory store with a fault.
pub(super) fn with(inner: MemoryStore, fault: impl Fault) -> Opened {
    let faulty = Arc::new(Faulty { inner, fault });
    Opened { store: faulty.clone(), feed: faulty }
}

impl<F> std::fmt::Debug for Faulty<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl<F: Fault> EventStore for Faulty<F> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.fault.append(&self.inner, append).await
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.fault.append_all(&self.inner, transaction).await
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        self.fault.read(&self.inner, stream, read).await
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.fault.scan(&self.inner, scan).await
    }
}

#[async_trait]
impl<F: Fault> EventFeed for Faulty<F> {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        self.inner.partitions().await
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let mut batch = self.inner.read_after(partition, position, limit).await?;
        self.fault.batch(partition, &mut batch);
        Ok(batch)
    }

    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration) {
        self.fault.wait(&self.inner, partition, position, timeout).await;
    }
}

/// Long enough that others come between the two halves of a broken operation.
pub(super) async fn pause() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
