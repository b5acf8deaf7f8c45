//! Whether a request has begun to write: only then may one that took too long say that its outcome is unknown.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use headwater::store::{Append, Appended, Capabilities, Page, Read, Scan, ScanPage, StoreError, Transaction};
use headwater::{EventStore, StreamName};

tokio::task_local! {
    static BEGAN: Arc<AtomicBool>;
}

/// Tells of one request whether it has begun to write.
#[derive(Debug, Clone, Default)]
pub(super) struct Writes(Arc<AtomicBool>);

impl Writes {
    /// Runs the request.
    pub(super) async fn watch<F: Future>(&self, request: F) -> F::Output {
        BEGAN.scope(Arc::clone(&self.0), request).await
    }

    /// Whether it has begun to write something.
    pub(super) fn began(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A store that notes when a request begins to write.
#[derive(Debug)]
pub(crate) struct Watched(pub(crate) Arc<dyn EventStore>);

fn note() {
    // Outside a request, nobody wants to know.
    _ = BEGAN.try_with(|began| began.store(true, Ordering::Relaxed));
}

#[async_trait]
impl EventStore for Watched {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        note();
        self.0.append(append).await
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        note();
        self.0.append_all(transaction).await
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        self.0.read(stream, read).await
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.0.scan(scan).await
    }
}
