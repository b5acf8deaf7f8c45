//! A shard: some of the streams and the log of their commits, behind one lock.

use std::collections::HashMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use headwater::store::{Append, StoreError};
use headwater::{Commit, CommitId, Expected, StreamName, Version};
use tokio::sync::Notify;

/// How many shards there are. Enough that threads seldom meet; each is also a partition of the feed.
pub(crate) const SHARDS: usize = 16;

/// The shard of a stream: FNV-1a over its name. Always the same, so that a stream is in one partition of the feed.
pub(crate) fn shard_number(stream: &StreamName) -> usize {
    let hash = stream.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The high bits: the low ones of this hash are less well mixed.
    usize::try_from(hash >> 60).expect("four bits fit")
}

/// One of the shards. Aligned so that two locks never share a cache line, or its neighbour.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Shard {
    state: RwLock<State>,
    grown: Notify,
}

impl Shard {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no code panics while it holds this lock")
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().expect("no code panics while it holds this lock")
    }

    /// Wakes those who wait for the log to grow; call it after the lock is released, so that they do not wait again.
    pub(crate) fn wake_readers(&self) {
        self.grown.notify_waiters();
    }

    /// Waits until the log is longer than `known`.
    pub(crate) async fn grown(&self, known: usize) {
        loop {
            // Registered before the log is looked at: a commit in between is not missed.
            let grown = self.grown.notified();
            if self.read().log().len() > known {
                return;
            }
            grown.await;
        }
    }
}

/// What a shard holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    streams: HashMap<StreamName, Stream>,
    log: Vec<Arc<Commit>>,
}

/// One stream: its commits in order, and where the commit of an id is, so that a retry is found without a search.
#[derive(Debug, Default)]
struct Stream {
    commits: Vec<Arc<Commit>>,
    places: HashMap<CommitId, usize>,
}

/// What is to be done about an append.
pub(crate) enum Verdict {
    /// Nothing: an earlier try has stored this commit.
    Retry(Arc<Commit>),
    /// It may be written.
    Fits,
}

impl State {
    /// The commits of a stream, oldest first.
    pub(crate) fn commits(&self, stream: &StreamName) -> &[Arc<Commit>] {
        self.streams.get(stream).map_or(&[], |stream| &stream.commits)
    }

    /// The commits of all streams of this shard, in the order they were written.
    pub(crate) fn log(&self) -> &[Arc<Commit>] {
        &self.log
    }

    /// The version of a stream.
    pub(crate) fn version(&self, stream: &StreamName) -> Version {
        self.commits(stream).last().map_or(Version::EMPTY, |commit| commit.last())
    }

    /// Says whether an append may be written. Retries come first: their own first try has moved the version.
    pub(crate) fn judge(&self, append: &Append) -> Result<Verdict, StoreError> {
        if let Some(commit) = self.commit(&append.stream, append.id) {
            return Ok(Verdict::Retry(commit));
        }
        self.check(&append.stream, append.expected)?;
        Ok(Verdict::Fits)
    }

    /// Checks what is expected of a stream. The version of a stream is always the end of a commit, so `Exact` of
    /// anything else is refused as well and no hole can come to be (L1).
    pub(crate) fn check(&self, stream: &StreamName, expected: Expected) -> Result<(), StoreError> {
        let actual = self.version(stream);
        if expected.allows(actual) {
            return Ok(());
        }
        let place = match expected {
            Expected::Exact(version) => version.0.saturating_add(1),
            Expected::Any | Expected::NoStream | Expected::Exists => 1,
        };
        let winner = self.holder(stream, Version(place)).cloned();
        Err(StoreError::conflict(stream.clone(), expected, actual, winner))
    }

    /// Writes what was judged to fit.
    pub(crate) fn push(&mut self, append: Append) -> Arc<Commit> {
        let first = self.version(&append.stream).next();
        let commit = Arc::new(append.into_commit(first));
        let stream = self.streams.entry(commit.stream.clone()).or_default();
        stream.places.insert(commit.id, stream.commits.len());
        stream.commits.push(Arc::clone(&commit));
        self.log.push(Arc::clone(&commit));
        commit
    }

    /// The commit of a stream that has this id.
    fn commit(&self, stream: &StreamName, id: CommitId) -> Option<Arc<Commit>> {
        let stream = self.streams.get(stream)?;
        stream.commits.get(*stream.places.get(&id)?).cloned()
    }

    /// The commit of a stream that holds this version.
    fn holder(&self, stream: &StreamName, version: Version) -> Option<&Arc<Commit>> {
        let commits = self.commits(stream);
        commits.get(commits.partition_point(|commit| commit.last() < version))
    }
}
