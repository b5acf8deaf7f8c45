//! Stores that are broken across streams.

use async_trait::async_trait;
use headwater::EventStore;
use headwater::store::{Appended, StoreError, Transaction};
use headwater::testing::conformance::Opened;
use headwater_store_memory::MemoryStore;

use super::decorator::{Fault, pause, with};

/// Writes one stream of a transaction after the other.
pub(super) fn in_pieces(store: MemoryStore) -> Opened {
    with(store, Pieces)
}
struct Pieces;
#[async_trait]
impl Fault for Pieces {
    async fn append_all(
        &self,
        inner: &MemoryStore,
        transaction: Transaction,
    ) -> Result<Vec<Appended>, StoreError> {
        transaction.check(&inner.capabilities())?;
        let mut appended = Vec::new();
        for append in transaction.appends {
            appended.push(inner.append(append).await?);
            pause().await;
        }
        Ok(appended)
    }
}

/// Looks only at the streams it writes.
pub(super) fn ignores_checks(store: MemoryStore) -> Opened {
    with(store, Unchecked)
}
struct Unchecked;
#[async_trait]
impl Fault for Unchecked {
    async fn append_all(
        &self,
        inner: &MemoryStore,
        transaction: Transaction,
    ) -> Result<Vec<Appended>, StoreError> {
        transaction.check(&inner.capabilities())?;
        inner.append_all(Transaction { checks: Vec::new(), ..transaction }).await
    }
}
