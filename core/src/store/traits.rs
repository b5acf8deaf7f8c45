//! The store itself: four operations a backend writes, and what is built on them once for all.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Append, Appended, Capabilities, Consistency, Direction, Loaded, Page, Read, Scan, ScanPage, StoreError,
    Transaction,
};
use crate::{Commit, StreamName, Version};

/// Where commits are decided and kept: a ledger.
///
/// A backend is correct when it passes the conformance suite (`headwater::testing`, feature `testing`).
#[async_trait]
pub trait EventStore: Send + Sync + fmt::Debug {
    /// What the backend can do.
    fn capabilities(&self) -> Capabilities;

    /// Appends one commit if the stream is as expected.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the stream is not as expected, unless the commit that took the place has the
    /// same id: then an earlier try succeeded and this one answers with it. A conflict stands for every earlier try
    /// whose call has ended, answered or not: none of them is carried out later. One whose call is still under way may
    /// be, if the stream is behind what was expected and gets there. [`StoreError::OutcomeUnknown`] when the write may
    /// have happened.
    ///
    /// # Ordering
    /// Commits of a stream have versions without hole or overlap (L1).
    ///
    /// # Cancel safety
    /// When the future is dropped the commit may or may not be stored, whole in any case.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;

    /// Appends to several streams together or to none; answers in the order of `transaction.appends`.
    ///
    /// # Errors
    /// As [`append`](Self::append); a conflict names the first stream that is not as expected.
    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError>;

    /// Reads one page of a stream. A stream that does not exist gives an empty page.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when something stored cannot be read; never a shorter answer instead.
    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError>;

    /// Reads one page of the whole ledger: for what has to see every stream, such as building read models anew.
    ///
    /// # Errors
    /// [`Invalid`](super::Invalid) for a segment or a cursor that does not exist; [`StoreError::Corrupt`] when something
    /// stored cannot be read; never a shorter answer instead.
    ///
    /// # Ordering
    /// A stream lies in one segment, and its commits come in version order. Streams may be mixed.
    ///
    /// # Delivery
    /// A strongly consistent scan has every commit that was acknowledged before its first page was asked for, once.
    /// Commits that come while it goes on may be in it or not: versions tell.
    ///
    /// # Cost
    /// Of every 4 KB of the ledger half a read unit, twice that when strongly consistent.
    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError>;
}

/// What every store can do on top of [`EventStore`].
#[async_trait]
pub trait EventStoreExt: EventStore {
    /// Reads every page of a range, in the order asked for.
    ///
    /// # Errors
    /// As [`EventStore::read`].
    async fn read_all(&self, stream: &StreamName, read: Read) -> Result<Vec<Arc<Commit>>, StoreError> {
        let mut commits = Vec::new();
        let mut next = Some(read);
        while let Some(read) = next {
            let mut page = self.read(stream, read.clone()).await?;
            next = read.following(&page);
            commits.append(&mut page.commits);
        }
        Ok(commits)
    }

    /// Loads what is needed to fold a stream: the newest snapshot of version `schema` and all commits after it.
    /// Without `schema`, all commits.
    ///
    /// # Errors
    /// As [`EventStore::read`]; [`StoreError::Corrupt`] when the commits do not follow each other (L1).
    ///
    /// # Cost
    /// One page in most cases; memory for all commits after the snapshot.
    async fn load(
        &self,
        stream: &StreamName,
        schema: Option<u32>,
        consistency: Consistency,
    ) -> Result<Loaded, StoreError> {
        match load_once(self, stream, schema, consistency).await {
            // Pages that replicas of different age gave need not fit together.
            Err(StoreError::Corrupt { .. }) if consistency == Consistency::Eventual => {
                load_once(self, stream, schema, Consistency::Strong).await
            }
            loaded => loaded,
        }
    }

    /// Reads a segment of the whole ledger to its end and hands every commit to `each`.
    ///
    /// # Errors
    /// As [`EventStore::scan`].
    async fn scan_all(
        &self,
        scan: Scan,
        each: &mut (dyn for<'c> FnMut(&'c Arc<Commit>) + Send),
    ) -> Result<(), StoreError> {
        let mut next = Some(scan);
        while let Some(scan) = next {
            let page = self.scan(scan.clone()).await?;
            page.commits.iter().for_each(&mut *each);
            next = page.next.map(|cursor| scan.after(cursor));
        }
        Ok(())
    }

    /// The version of a stream, strongly consistent.
    ///
    /// # Errors
    /// As [`EventStore::read`].
    async fn version(&self, stream: &StreamName) -> Result<Version, StoreError> {
        let read = Read { direction: Direction::Backward, limit: 1, ..Read::all() };
        let page = self.read(stream, read).await?;
        Ok(page.commits.first().map_or(Version::EMPTY, |commit| commit.last()))
    }
}

impl<S: EventStore + ?Sized> EventStoreExt for S {}

/// Loads a stream as its pages say.
async fn load_once<S: EventStore + ?Sized>(
    store: &S,
    stream: &StreamName,
    schema: Option<u32>,
    consistency: Consistency,
) -> Result<Loaded, StoreError> {
    let read = Read { stop_at_snapshot: schema, consistency, ..Read::backward() };
    let mut tail = store.read_all(stream, read).await?;
    tail.reverse();
    let snapshot = tail.first().and_then(|oldest| {
        let snapshot = oldest.snapshot.as_ref().filter(|snapshot| Some(snapshot.schema) == schema)?;
        Some((oldest.last(), (**snapshot).clone()))
    });
    let known = match &snapshot {
        Some((version, _)) => {
            tail.remove(0);
            *version
        }
        None => Version::EMPTY,
    };
    contiguous(stream, known, &tail)?;
    Ok(Loaded { snapshot, tail })
}

/// Checks that commits follow each other from `known` on, without hole or overlap.
fn contiguous(stream: &StreamName, known: Version, commits: &[Arc<Commit>]) -> Result<(), StoreError> {
    let mut version = known;
    for commit in commits {
        if commit.first != version.next() {
            return Err(StoreError::Corrupt {
                stream: stream.clone(),
                version: version.next(),
                reason: format!("the next commit starts at version {}", commit.first),
            });
        }
        version = commit.last();
    }
    Ok(())
}

/// Forwards a store through a pointer.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<S: EventStore + ?Sized> EventStore for $pointer {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
            async fn append(&self, append: Append) -> Result<Appended, StoreError> {
                (**self).append(append).await
            }
            async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
                (**self).append_all(transaction).await
            }
            async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
                (**self).read(stream, read).await
            }
            async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
                (**self).scan(scan).await
            }
        }
    )*};
}
forward!(Arc<S>, Box<S>);
