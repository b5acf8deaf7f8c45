//! Stores that are broken within one stream.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::{Append, Appended, Direction, Page, Read, StoreError, Transaction};
use headwater::testing::conformance::Opened;
use headwater::{Commit, CommitId, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_store_memory::MemoryStore;

use super::decorator::{Fault, pause, with};

/// Believes the version a writer names, as a conditional put on a key alone does: what lies between stays empty.
pub(super) fn leaves_a_hole(store: MemoryStore) -> Opened {
    with(store, Hole)
}
struct Hole;
#[async_trait]
impl Fault for Hole {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        let Expected::Exact(version) = append.expected else { return inner.append(append).await };
        match inner.append(append.clone()).await {
            Err(StoreError::Conflict(conflict)) if conflict.actual < version => {
                let mut appended = inner.append(Append { expected: Expected::Any, ..append }).await?;
                appended.commit =
                    Arc::new(Commit { first: version.next(), ..Commit::clone(&appended.commit) });
                Ok(appended)
            }
            outcome => outcome,
        }
    }
}

/// Writes the events of a commit in two halves.
pub(super) fn tears_commits(store: MemoryStore) -> Opened {
    with(store, Tear)
}
struct Tear;
#[async_trait]
impl Fault for Tear {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        let whole = append.events.clone();
        let (first, second) = whole.split_at(whole.len() / 2);
        if first.is_empty() {
            return inner.append(append).await;
        }
        let mut appended = inner.append(Append { events: first.to_vec(), ..append.clone() }).await?;
        pause().await;
        let rest = Append { id: CommitId::new(), expected: Expected::Any, events: second.to_vec(), ..append };
        inner.append(Append { snapshot: None, ..rest }).await?;
        appended.commit = Arc::new(Commit { events: whole, ..Commit::clone(&appended.commit) });
        Ok(appended)
    }
}

/// Takes whatever comes.
pub(super) fn never_conflicts(store: MemoryStore) -> Opened {
    with(store, NoConflict)
}
struct NoConflict;
#[async_trait]
impl Fault for NoConflict {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        inner.append(unconditional(append)).await
    }
    async fn append_all(
        &self,
        inner: &MemoryStore,
        mut transaction: Transaction,
    ) -> Result<Vec<Appended>, StoreError> {
        transaction.appends = transaction.appends.into_iter().map(unconditional).collect();
        inner.append_all(transaction).await
    }
}
fn unconditional(append: Append) -> Append {
    Append { expected: Expected::Any, snapshot: None, ..append }
}

/// Says that a commit was stored when another writer came between: the lost update.
pub(super) fn loses_a_commit(store: MemoryStore) -> Opened {
    with(store, Lost)
}
struct Lost;
#[async_trait]
impl Fault for Lost {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        let head = inner.version(&append.stream).await?;
        let expected = if append.expected == Expected::Any { Expected::Exact(head) } else { append.expected };
        pause().await;
        match inner.append(Append { expected, ..append.clone() }).await {
            Err(StoreError::Conflict(conflict)) if append.expected.allows(head) => {
                let commit = Arc::new(append.into_commit(conflict.actual.next()));
                Ok(Appended { commit, own_retry: false })
            }
            outcome => outcome,
        }
    }
}

/// Says after the first page that there is no more.
pub(super) fn ends_pages_early(store: MemoryStore) -> Opened {
    with(store, EarlyEnd)
}
struct EarlyEnd;
#[async_trait]
impl Fault for EarlyEnd {
    async fn read(&self, inner: &MemoryStore, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        Ok(Page { more: false, ..inner.read(stream, read).await? })
    }
}

/// Takes every request for a new one.
pub(super) fn forgets_own_retries(store: MemoryStore) -> Opened {
    with(store, Forgetful)
}
struct Forgetful;
#[async_trait]
impl Fault for Forgetful {
    async fn append(&self, inner: &MemoryStore, append: Append) -> Result<Appended, StoreError> {
        inner.append(Append { id: CommitId::new(), ..append }).await
    }
    async fn append_all(
        &self,
        inner: &MemoryStore,
        mut transaction: Transaction,
    ) -> Result<Vec<Appended>, StoreError> {
        transaction.appends.iter_mut().for_each(|append| append.id = CommitId::new());
        inner.append_all(transaction).await
    }
}

/// Never shows the newest commit, not even to a strong read.
pub(super) fn reads_stale(store: MemoryStore) -> Opened {
    with(store, OneBehind)
}
struct OneBehind;
#[async_trait]
impl Fault for OneBehind {
    async fn read(&self, inner: &MemoryStore, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let head = inner.version(stream).await?;
        let until = read.until.min(Version(head.0.saturating_sub(1)));
        inner.read(stream, read.until(until)).await
    }
}

/// Ends a read at a snapshot of any version.
pub(super) fn stops_at_any_snapshot(store: MemoryStore) -> Opened {
    with(store, AnySnapshot)
}
struct AnySnapshot;
#[async_trait]
impl Fault for AnySnapshot {
    async fn read(&self, inner: &MemoryStore, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let stops = read.direction == Direction::Backward && read.stop_at_snapshot.is_some();
        let mut page = inner.read(stream, read).await?;
        let place = page.commits.iter().position(|commit| commit.snapshot.is_some());
        if let (true, Some(place)) = (stops, place) {
            page.commits.truncate(place + 1);
            page.more = false;
        }
        Ok(page)
    }
}

/// Takes the white space at the ends of payloads away.
pub(super) fn tidies_payloads(store: MemoryStore) -> Opened {
    with(store, Tidy)
}
struct Tidy;
#[async_trait]
impl Fault for Tidy {
    async fn append(&self, inner: &MemoryStore, mut append: Append) -> Result<Appended, StoreError> {
        for event in &mut append.events {
            event.payload = event.payload.trim_ascii().to_vec().into();
        }
        inner.append(append).await
    }
}
