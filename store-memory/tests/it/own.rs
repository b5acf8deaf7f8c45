//! What the memory store promises beyond the suite: exact page ends, conflicts with the winner, cheap feeds.

use headwater::store::{Append, ErrorKind, Position, Read, StoreError, Transaction};
use headwater::{EventData, EventFeed, EventStore, Expected, StreamName, Version};
use headwater_store_memory::MemoryStore;

fn name(id: &str) -> StreamName {
    StreamName::new("own", id).expect("a valid name")
}

fn append(stream: &StreamName, expected: Expected, events: usize) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    Append::new(stream.clone(), expected, vec![event; events])
}

#[tokio::test]
async fn a_page_says_exactly_whether_there_is_more() {
    let store = MemoryStore::with_page(4);
    let stream = name("pages");
    for _ in 0..4 {
        store.append(append(&stream, Expected::Any, 2)).await.unwrap();
    }
    for read in [Read::all(), Read::backward()] {
        let direction = read.direction;
        for (limit, given, more) in [(0, 1, true), (1, 1, true), (3, 3, true), (4, 4, false), (9, 4, false)] {
            let page = store.read(&stream, read.clone().limit(limit)).await.unwrap();
            assert_eq!((page.commits.len(), page.more), (given, more), "{direction:?}, limit {limit}");
        }
        let mut range = read.until(Version(5)).limit(2);
        range.after = Version(2);
        let page = store.read(&stream, range).await.unwrap();
        assert_eq!((page.commits.len(), page.more), (2, false), "{direction:?}, a range of two commits");
    }
}

#[tokio::test]
async fn a_conflict_hands_over_the_commit_that_took_the_place() {
    let store = MemoryStore::new();
    let stream = name("winner");
    let mut commits = Vec::new();
    for events in [1, 3, 1] {
        commits.push(store.append(append(&stream, Expected::Any, events)).await.unwrap().commit);
    }
    let cases = [
        (Expected::NoStream, Some(0)),
        (Expected::Exact(Version(1)), Some(1)),
        (Expected::Exact(Version(2)), Some(1)),
        (Expected::Exact(Version(4)), Some(2)),
        (Expected::Exact(Version(6)), None),
        (Expected::Exact(Version(u64::MAX)), None),
    ];
    for (expected, winner) in cases {
        match store.append(append(&stream, expected, 1)).await {
            Err(StoreError::Conflict(conflict)) => {
                assert_eq!(conflict.winner, winner.map(|index: usize| commits[index].clone()), "{expected}");
            }
            other => panic!("{expected} must be a conflict, but: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_used_commit_id_in_another_transaction_is_a_conflict() {
    let store = MemoryStore::new();
    let used = append(&name("used"), Expected::Any, 1);
    store.append(used.clone()).await.unwrap();
    let new = append(&name("new"), Expected::Any, 1);
    let error = store.append_all(Transaction { appends: vec![new, used], checks: vec![] }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(store.read(&name("new"), Read::all()).await.unwrap().commits.is_empty());
}

#[tokio::test]
async fn a_position_that_is_not_of_the_feed_is_refused() {
    let store = MemoryStore::new();
    store.append(append(&name("one"), Expected::Any, 1)).await.unwrap();
    for partition in store.partitions().await.unwrap() {
        for position in ["0", "2", "-1", "x", "", "99999999999999999999999"] {
            let position = Position(position.into());
            let error = store.read_after(&partition.id, Some(&position), 1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Position, "{position}");
        }
    }
}

#[tokio::test]
async fn clones_share_the_content() {
    let store = MemoryStore::new();
    store.clone().append(append(&name("shared"), Expected::Any, 1)).await.unwrap();
    assert_eq!(store.read(&name("shared"), Read::all()).await.unwrap().commits.len(), 1);
}
