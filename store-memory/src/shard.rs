//! A shard: some of the streams and the log of their commits, behind one lock.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::{FixedState, RandomState};
use headwater::store::{Append, StoreError};
use headwater::{Commit, CommitId, Expected, StreamName, Version};
use tokio::sync::Notify;

/// How many shards there are. Enough that threads seldom meet; each is also a partition of the feed.
pub(crate) const SHARDS: usize = 16;

/// The shard of a stream, by a hash of its name: always the same, so that a stream is in one partition of the feed.
pub(crate) fn shard_number(stream: &StreamName) -> usize {
    let hash = FixedState::default().hash_one(stream);
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
    streams: HashMap<StreamName, Stream, RandomState>,
    log: Vec<Arc<Commit>>,
}

/// One stream: its commits in order. Where an append that expects a version has put its commit, its retry finds it; those
/// that expect none are found by id, so that no retry has to search.
#[derive(Debug, Default)]
struct Stream {
    /// Kept apart from the commits: most appends need no more than this.
    version: Version,
    commits: Vec<Arc<Commit>>,
    anywhere: HashMap<CommitId, usize, RandomState>,
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
        self.streams.get(stream).map_or(Version::EMPTY, |stream| stream.version)
    }

    /// Says whether an append may be written. Retries come first: their own first try has moved the version.
    pub(crate) fn judge(&self, append: &Append) -> Result<Verdict, StoreError> {
        let stream = self.streams.get(&append.stream);
        if let Some(commit) = stream.and_then(|stream| stream.earlier(append)) {
            return Ok(Verdict::Retry(commit));
        }
        check(&append.stream, stream, append.expected)?;
        Ok(Verdict::Fits)
    }

    /// Checks what is expected of a stream.
    pub(crate) fn check(&self, stream: &StreamName, expected: Expected) -> Result<(), StoreError> {
        check(stream, self.streams.get(stream), expected)
    }

    /// Judges an append and writes it if it fits, at one look at the stream; also whether an earlier try has stored it.
    pub(crate) fn append(&mut self, append: Append) -> Result<(Arc<Commit>, bool), StoreError> {
        let Some(stream) = self.streams.get_mut(&append.stream) else {
            // Nothing is left of a stream that was not to be made.
            check(&append.stream, None, append.expected)?;
            return Ok((self.push(append), false));
        };
        if let Some(commit) = stream.earlier(&append) {
            return Ok((commit, true));
        }
        check(&append.stream, Some(stream), append.expected)?;
        let commit = stream.push(append);
        self.log.push(Arc::clone(&commit));
        Ok((commit, false))
    }

    /// Writes what was judged to fit.
    pub(crate) fn push(&mut self, append: Append) -> Arc<Commit> {
        let stream = match self.streams.get_mut(&append.stream) {
            Some(stream) => stream,
            None => self.streams.entry(append.stream.clone()).or_default(),
        };
        let commit = stream.push(append);
        self.log.push(Arc::clone(&commit));
        commit
    }
}

impl Stream {
    fn push(&mut self, append: Append) -> Arc<Commit> {
        if place(append.expected).is_none() {
            self.anywhere.insert(append.id, self.commits.len());
        }
        let commit = Arc::new(append.into_commit(self.version.next()));
        self.version = commit.last();
        self.commits.push(Arc::clone(&commit));
        commit
    }

    /// The commit that an earlier try of this append has stored.
    fn earlier(&self, append: &Append) -> Option<Arc<Commit>> {
        let commit = match place(append.expected) {
            Some(place) => self.holder(place),
            None => self.commits.get(*self.anywhere.get(&append.id)?),
        };
        commit.filter(|commit| commit.id == append.id).cloned()
    }

    /// The commit that holds a version.
    fn holder(&self, version: Version) -> Option<&Arc<Commit>> {
        if version > self.version {
            return None;
        }
        self.commits.get(self.commits.partition_point(|commit| commit.last() < version))
    }
}

/// Where an append puts its first event, if its expectation says so.
fn place(expected: Expected) -> Option<Version> {
    match expected {
        Expected::Exact(version) => Some(Version(version.0.saturating_add(1))),
        Expected::NoStream => Some(Version(1)),
        Expected::Any | Expected::Exists => None,
    }
}

/// Checks what is expected of a stream. Its version is always the end of a commit, so `Exact` of anything else is refused
/// as well and no hole can come to be (L1).
fn check(name: &StreamName, stream: Option<&Stream>, expected: Expected) -> Result<(), StoreError> {
    let actual = stream.map_or(Version::EMPTY, |stream| stream.version);
    if expected.allows(actual) {
        return Ok(());
    }
    let winner = stream.and_then(|stream| stream.holder(place(expected).unwrap_or(Version(1))).cloned());
    Err(StoreError::conflict(name.clone(), expected, actual, winner))
}
