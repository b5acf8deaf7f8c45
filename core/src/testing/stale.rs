//! A store whose cheap reads come from an older moment, as a replica's may.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::store::{
    Append, Appended, Capabilities, Consistency, EventStore, EventStoreExt, Page, Read, Scan, ScanPage,
    StoreError, Transaction,
};
use crate::{StreamName, Version};

/// Wraps a store: a read that asks for [`Consistency::Eventual`] sees a stream as it was when [`freeze`](Self::freeze)
/// was called for it. Strong reads and appends see the truth.
#[derive(Debug)]
pub struct Stale {
    inner: Arc<dyn EventStore>,
    frozen: Mutex<HashMap<StreamName, Version>>,
}

impl Stale {
    /// Wraps a store; nothing is frozen yet.
    #[must_use]
    pub fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, frozen: Mutex::default() }
    }

    /// From now on, cheap reads of this stream see it as it is now.
    ///
    /// # Errors
    /// As [`EventStore::read`].
    pub async fn freeze(&self, stream: &StreamName) -> Result<(), StoreError> {
        let version = self.inner.version(stream).await?;
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.clone(), version);
        Ok(())
    }
}

#[async_trait]
impl EventStore for Stale {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.stale_reads = true;
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.inner.append(append).await
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.inner.append_all(transaction).await
    }

    async fn read(&self, stream: &StreamName, mut read: Read) -> Result<Page, StoreError> {
        if read.consistency == Consistency::Eventual {
            let frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner).get(stream).copied();
            read.until = read.until.min(frozen.unwrap_or(read.until));
        }
        self.inner.read(stream, read).await
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.inner.scan(scan).await
    }
}
