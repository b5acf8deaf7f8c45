//! Checks with many writers on one stream.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::tools::{append, attempt, join, name, newest, put, whole};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, NoStream};
use crate::store::{EventStore, StoreError};
use crate::{CommitId, StreamName, Version};

pub(super) async fn writers_of_an_exact_version_leave_no_gap(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    let stream = name("exact-race");
    let mut tasks = JoinSet::new();
    for writer in 0..scale.writers {
        let (store, stream) = (Arc::clone(&store), stream.clone());
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..scale.rounds {
                acknowledged.push(append_at_head(&*store, &stream, 1 + (writer + round) % 3).await);
            }
            acknowledged
        });
    }
    let acknowledged = join(tasks).await.concat();
    each_once(&*store, &stream, &acknowledged).await;
}

pub(super) async fn writers_of_any_version_lose_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    let stream = name("any-race");
    let mut tasks = JoinSet::new();
    for writer in 0..scale.writers {
        let (store, stream) = (Arc::clone(&store), stream.clone());
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..scale.rounds {
                let commit = put(&*store, append(&stream, Any, 1 + (writer + round) % 3)).await;
                acknowledged.push((commit.id, commit.first));
            }
            acknowledged
        });
    }
    let acknowledged = join(tasks).await.concat();
    each_once(&*store, &stream, &acknowledged).await;
}

pub(super) async fn a_race_to_create_has_one_winner(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    for round in 0..scale.rounds {
        let stream = name(&format!("create-{round}"));
        let mut tasks = JoinSet::new();
        for _ in 0..scale.writers {
            let (store, stream) = (Arc::clone(&store), stream.clone());
            tasks.spawn(async move {
                match attempt(&*store, append(&stream, NoStream, 2)).await {
                    Ok(appended) => Some((appended.commit.id, appended.commit.first)),
                    Err(StoreError::Conflict(_)) => None,
                    Err(error) => panic!("a writer that loses gets a conflict, but: {error}"),
                }
            });
        }
        let winners: Vec<_> = join(tasks).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "one of the writers that create {stream} wins, and only one");
        each_once(&*store, &stream, &winners).await;
    }
}

pub(super) async fn a_commit_is_never_seen_torn(backend: &dyn Backend) {
    const EVENTS: u64 = 7;
    let store = backend.open(Pages::Default).await.store;
    let commits = backend.scale().rounds * 4;
    let stream = name("torn");
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let (store, stream) = (Arc::clone(&store), stream.clone());
        tasks.spawn(async move {
            let mut seen = 0;
            while seen < commits * EVENTS {
                let commits = whole(&*store, &stream).await;
                let torn = commits.iter().find(|commit| commit.events.len() as u64 != EVENTS);
                let events = torn.map(|commit| commit.events.len());
                assert!(
                    torn.is_none(),
                    "a commit of {stream} has {events:?} events, but all were written with {EVENTS}"
                );
                seen = commits.len() as u64 * EVENTS;
                tokio::task::yield_now().await;
            }
        });
    }
    for _ in 0..commits {
        let commit = put(&*store, append(&stream, Any, EVENTS)).await;
        assert_eq!(commit.events.len() as u64, EVENTS, "a commit is stored with all of its events");
    }
    join(tasks).await;
}

pub(super) async fn a_strong_read_sees_what_was_acknowledged(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    let mut tasks = JoinSet::new();
    for writer in 0..scale.writers {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let stream = name(&format!("strong-{writer}"));
            for _ in 0..scale.rounds {
                let written = put(&*store, append(&stream, Any, 1)).await;
                let read = newest(&*store, &stream).await;
                let read = read.map(|commit| (commit.id, commit.last()));
                assert_eq!(
                    read,
                    Some((written.id, written.last())),
                    "a strong read right after a write sees it"
                );
            }
        });
    }
    join(tasks).await;
}

/// Reads the head and appends after it, until no other writer comes between.
async fn append_at_head(store: &dyn EventStore, stream: &StreamName, events: u64) -> (CommitId, Version) {
    loop {
        let head = newest(store, stream).await.map_or(Version::EMPTY, |commit| commit.last());
        // Others come in between here, however fast the store is.
        tokio::task::yield_now().await;
        match attempt(store, append(stream, Exact(head), events)).await {
            Ok(appended) => {
                let first = appended.commit.first;
                assert_eq!(
                    first,
                    head.next(),
                    "a commit that expected version {head} of {stream} follows it"
                );
                return (appended.commit.id, first);
            }
            Err(StoreError::Conflict(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("a writer that loses gets a conflict, but: {error}"),
        }
    }
}

/// Every acknowledged commit is in the stream once, where the answer said, and nothing else is.
async fn each_once(store: &dyn EventStore, stream: &StreamName, acknowledged: &[(CommitId, Version)]) {
    let stored: Vec<_> = whole(store, stream).await.iter().map(|commit| (commit.id, commit.first)).collect();
    assert_eq!(stored.len(), acknowledged.len(), "{stream} holds as many commits as were acknowledged");
    let stored: HashSet<_> = stored.into_iter().collect();
    for (id, version) in acknowledged {
        assert!(
            stored.contains(&(*id, *version)),
            "commit {id} was acknowledged at version {version} and is lost"
        );
    }
}
