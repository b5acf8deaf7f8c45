//! Stores that are broken when all streams are read.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use headwater::EventStore;
use headwater::store::{Scan, ScanPage, StoreError};
use headwater::testing::conformance::Opened;
use headwater_store_memory::MemoryStore;

use super::decorator::{Fault, with};

/// Says after the first page of every segment that there is no more.
pub(super) fn ends_scans_early(store: MemoryStore) -> Opened {
    with(store, EarlyEnd)
}
struct EarlyEnd;
#[async_trait]
impl Fault for EarlyEnd {
    async fn scan(&self, inner: &MemoryStore, scan: Scan) -> Result<ScanPage, StoreError> {
        Ok(ScanPage { next: None, ..inner.scan(scan).await? })
    }
}

/// Gives the newest commit of a page first.
pub(super) fn scans_backward(store: MemoryStore) -> Opened {
    with(store, Backward)
}
struct Backward;
#[async_trait]
impl Fault for Backward {
    async fn scan(&self, inner: &MemoryStore, scan: Scan) -> Result<ScanPage, StoreError> {
        let mut page = inner.scan(scan).await?;
        page.commits.reverse();
        Ok(page)
    }
}

/// Takes every segment for the whole ledger.
pub(super) fn ignores_segments(store: MemoryStore) -> Opened {
    with(store, Whole)
}
struct Whole;
#[async_trait]
impl Fault for Whole {
    async fn scan(&self, inner: &MemoryStore, mut scan: Scan) -> Result<ScanPage, StoreError> {
        scan.check()?;
        (scan.segment, scan.segments) = (0, 1);
        inner.scan(scan).await
    }
}

/// Loses a page that a reader came back for.
pub(super) fn skips_a_page(store: MemoryStore) -> Opened {
    with(store, Skip(AtomicBool::new(false)))
}
struct Skip(AtomicBool);
#[async_trait]
impl Fault for Skip {
    async fn scan(&self, inner: &MemoryStore, scan: Scan) -> Result<ScanPage, StoreError> {
        let resumed = scan.after.is_some();
        let mut page = inner.scan(scan).await?;
        if resumed && !page.commits.is_empty() && !self.0.swap(true, Ordering::Relaxed) {
            page.commits.clear();
        }
        Ok(page)
    }
}
