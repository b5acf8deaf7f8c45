//! A store that loses or spoils snapshots: nothing but speed may change (L8).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::store::{
    Append, Appended, Capabilities, EventStore, Page, Read, Scan, ScanPage, StoreError, Transaction,
};
use crate::{Commit, StreamName};

/// What happens to the snapshots of a [`Tampered`] store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// They are gone.
    Deleted,
    /// Their state is not JSON.
    NotJson,
    /// Their state is JSON of another shape.
    OtherShape,
}

/// Wraps a store and tampers with every snapshot that is read. What is written stays as it is.
#[derive(Debug)]
pub struct Tampered {
    inner: Arc<dyn EventStore>,
    tampering: Tampering,
}

impl Tampered {
    /// Wraps a store.
    #[must_use]
    pub fn new(inner: Arc<dyn EventStore>, tampering: Tampering) -> Self {
        Self { inner, tampering }
    }

    fn tamper(&self, commit: &Arc<Commit>) -> Arc<Commit> {
        let mut commit = Commit::clone(commit);
        match (self.tampering, commit.snapshot.as_mut()) {
            (_, None) => {}
            (Tampering::Deleted, Some(_)) => commit.snapshot = None,
            (Tampering::NotJson, Some(snapshot)) => snapshot.state = Bytes::from_static(b"{\"value\":"),
            (Tampering::OtherShape, Some(snapshot)) => snapshot.state = Bytes::from_static(b"[\"other\"]"),
        }
        Arc::new(commit)
    }
}

#[async_trait]
impl EventStore for Tampered {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.inner.append(append).await
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.inner.append_all(transaction).await
    }

    async fn read(&self, stream: &StreamName, mut read: Read) -> Result<Page, StoreError> {
        if self.tampering == Tampering::Deleted {
            read.stop_at_snapshot = None;
        }
        let mut page = self.inner.read(stream, read).await?;
        page.commits = page.commits.iter().map(|commit| self.tamper(commit)).collect();
        Ok(page)
    }
    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        let mut page = self.inner.scan(scan).await?;
        page.commits = page.commits.iter().map(|commit| self.tamper(commit)).collect();
        Ok(page)
    }
}
