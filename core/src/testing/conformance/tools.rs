//! What the checks share: streams, commits and answers in few words.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::store::{Append, Appended, Conflict, Direction, EventStore, EventStoreExt, Read, StoreError};
use crate::{Commit, EventData, Expected, StreamName, Timestamp, Version};

/// How often a request is sent again when the store says that this helps.
const TRIES: u32 = 10;

/// A stream of the category `check`.
pub(super) fn name(id: &str) -> StreamName {
    StreamName::new("check", id).expect("the ids of the checks are valid")
}

/// An event with a number in it.
pub(super) fn event(number: u64) -> EventData {
    EventData { name: "Noted".into(), schema: 1, payload: format!("{{\"number\":{number}}}").into() }
}

/// An append of so many events. Its time has full microseconds and is never the same twice.
pub(super) fn append(stream: &StreamName, expected: Expected, events: u64) -> Append {
    static TICKS: AtomicI64 = AtomicI64::new(1_700_000_000_000_001);
    let events = (0..events).map(event).collect();
    let time = Timestamp::from_microsecond(TICKS.fetch_add(1, Ordering::Relaxed));
    Append { recorded_at: time.expect("a time of our days"), ..Append::new(stream.clone(), expected, events) }
}

/// Sends an append, again while that helps: a busy backend is not a wrong one.
pub(super) async fn attempt(store: &dyn EventStore, append: Append) -> Result<Appended, StoreError> {
    let mut tries = 1;
    loop {
        match store.append(append.clone()).await {
            Err(error) if error.retry_helps() && tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(20) * tries).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Sends an append that must succeed.
pub(super) async fn put(store: &dyn EventStore, append: Append) -> Arc<Commit> {
    let (stream, expected) = (append.stream.clone(), append.expected);
    match attempt(store, append).await {
        Ok(appended) => appended.commit,
        Err(error) => panic!("an append to {stream} that expects {expected} must succeed, but: {error}"),
    }
}

/// Writes commits of these many events to a stream.
pub(super) async fn fill(store: &dyn EventStore, stream: &StreamName, sizes: &[u64]) -> Vec<Arc<Commit>> {
    let mut commits = Vec::new();
    for events in sizes {
        commits.push(put(store, append(stream, Expected::Any, *events)).await);
    }
    commits
}

/// An append that must be refused with a conflict.
pub(super) async fn conflict(store: &dyn EventStore, append: Append) -> Conflict {
    let (stream, expected) = (append.stream.clone(), append.expected);
    match attempt(store, append).await {
        Err(StoreError::Conflict(conflict)) => *conflict,
        Err(error) => {
            panic!("an append to {stream} that expects {expected} must be a conflict, but: {error}")
        }
        Ok(appended) => panic!(
            "an append to {stream} that expects {expected} must be a conflict, but it was stored at version {}",
            appended.commit.first
        ),
    }
}

/// Everything a read gives, over all pages.
pub(super) async fn read_all(store: &dyn EventStore, stream: &StreamName, read: Read) -> Vec<Arc<Commit>> {
    store.read_all(stream, read).await.expect("a stream must be readable")
}

/// A whole stream, oldest first; its versions are 1..n.
pub(super) async fn whole(store: &dyn EventStore, stream: &StreamName) -> Vec<Arc<Commit>> {
    let commits = read_all(store, stream, Read::all()).await;
    let mut version = Version::EMPTY;
    for commit in &commits {
        assert!(!commit.events.is_empty(), "a commit of {stream} at version {} has no events", commit.first);
        assert_eq!(&commit.stream, stream, "a commit of another stream was read");
        assert_eq!(commit.first, version.next(), "the versions of {stream} have a hole or an overlap (L1)");
        version = commit.last();
    }
    commits
}

/// The version of a stream, by reading all of it.
pub(super) async fn version(store: &dyn EventStore, stream: &StreamName) -> Version {
    whole(store, stream).await.last().map_or(Version::EMPTY, |commit| commit.last())
}

/// The newest commit of a stream.
pub(super) async fn newest(store: &dyn EventStore, stream: &StreamName) -> Option<Arc<Commit>> {
    let read = Read { direction: Direction::Backward, ..Read::all().limit(1) };
    store.read(stream, read).await.expect("a stream must be readable").commits.into_iter().next()
}

/// Waits for every task; the panic of a task becomes the caller's.
pub(super) async fn join<T: 'static>(mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        match result {
            Ok(result) => results.push(result),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    results
}

/// Two lists of commits must be the same. Says where they are not, without printing all of them.
#[track_caller]
pub(super) fn same(actual: &[Arc<Commit>], expected: &[Arc<Commit>], what: impl Display) {
    let outline = |commits: &[Arc<Commit>]| -> Vec<_> {
        let versions = |commit: &Arc<Commit>| format!("{}..={} ({})", commit.first, commit.last(), commit.id);
        commits.iter().map(versions).collect()
    };
    assert_eq!(outline(actual), outline(expected), "{what}: the commits must be these");
    for (actual, expected) in actual.iter().zip(expected) {
        let version = expected.first;
        assert!(
            actual == expected,
            "{what}: the commit at version {version} has another content than expected"
        );
    }
}
