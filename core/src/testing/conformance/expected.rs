//! Checks of what a writer may expect of a stream, and of what a conflict says.

use super::tools::{append, conflict, fill, name, put, same, version, whole};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, Exists, NoStream};
use crate::store::EventStore;
use crate::{Expected, StreamName, Version};

pub(super) async fn any_allows_every_version(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("any");
    for events in 1..=3 {
        put(&*store, append(&stream, Any, events)).await;
    }
    assert_eq!(version(&*store, &stream).await, Version(6));
}

pub(super) async fn no_stream_allows_only_a_stream_without_events(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    for (id, expected) in [("no-stream", NoStream), ("exact-zero", Exact(Version::EMPTY))] {
        let stream = name(id);
        put(&*store, append(&stream, expected, 2)).await;
        refused(&*store, &stream, expected, Version(2)).await;
    }
}

pub(super) async fn exists_allows_only_a_stream_with_events(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("exists");
    refused(&*store, &stream, Exists, Version::EMPTY).await;
    put(&*store, append(&stream, NoStream, 1)).await;
    put(&*store, append(&stream, Exists, 2)).await;
    put(&*store, append(&stream, Exists, 1)).await;
    assert_eq!(version(&*store, &stream).await, Version(4));
}

pub(super) async fn exact_allows_only_the_head(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("exact");
    fill(&*store, &stream, &[1, 1]).await;
    refused(&*store, &stream, Exact(Version(1)), Version(2)).await;
    put(&*store, append(&stream, Exact(Version(2)), 1)).await;
    refused(&*store, &stream, Exact(Version(2)), Version(3)).await;
    put(&*store, append(&stream, Exact(Version(3)), 1)).await;
    assert_eq!(version(&*store, &stream).await, Version(4));
}

/// A version inside a commit, beyond the head, or of a stream without events: none is the end of a commit.
pub(super) async fn exact_never_makes_a_hole(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("holes");
    refused(&*store, &stream, Exact(Version(1)), Version::EMPTY).await;
    fill(&*store, &stream, &[3, 2]).await;
    for inside_or_beyond in [1, 2, 4, 6, 7, 1_000, u64::MAX - 1, u64::MAX] {
        refused(&*store, &stream, Exact(Version(inside_or_beyond)), Version(5)).await;
    }
}

pub(super) async fn versions_start_at_one_and_follow_each_other(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("versions");
    let sizes = [1, 3, 2, 5, 1];
    let appended = fill(&*store, &stream, &sizes).await;
    let mut first = 1;
    for (commit, events) in appended.iter().zip(sizes) {
        assert_eq!(commit.first, Version(first), "an answer names the version the commit got");
        first += events;
    }
    same(&whole(&*store, &stream).await, &appended, "what was read is what was answered");
}

/// An append that must be refused, with the truth about the head, and must change nothing.
async fn refused(store: &dyn EventStore, stream: &StreamName, expected: Expected, head: Version) {
    let before = whole(store, stream).await;
    let conflict = conflict(store, append(stream, expected, 2)).await;
    assert_eq!(conflict.actual, head, "the conflict names the actual head when {expected} was expected");
    assert_eq!(
        (&conflict.stream, conflict.expected),
        (stream, expected),
        "the conflict says what it is about"
    );
    if let (Some(winner), Exact(known)) = (&conflict.winner, expected) {
        let holds = winner.first <= known.next() && known.next() <= winner.last();
        assert!(holds, "the winner must hold version {}, it starts at {}", known.next(), winner.first);
    }
    if let Some(winner) = &conflict.winner {
        assert!(before.contains(winner), "the winner must be a commit of the stream, as it is read");
    }
    same(&whole(store, stream).await, &before, "a conflict changes nothing");
}
