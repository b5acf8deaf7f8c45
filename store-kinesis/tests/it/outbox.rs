//! Within one process: whatever becomes of an append, a commit in the ledger reaches the feed (L4), and nothing is
//! written that cannot wait to be published (L12).

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use headwater::store::{Append, ErrorKind, Read};
use headwater::{EventData, EventFeed, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_aws::testing::Mishap::LostAnswer;
use headwater_aws::testing::{Mishap, Wire};
use headwater_store_kinesis::KinesisStore;

use crate::stores::{clients, fresh, tapped, wired};

/// How long a commit may take to reach the feed when it has to be looked for.
const PATIENCE: Duration = Duration::from_secs(45);

fn stream() -> StreamName {
    StreamName::new("outbox", "a").unwrap()
}

fn append(expected: Expected) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    Append::new(stream(), expected, vec![event])
}

/// Waits until every commit in the ledger is on the feed. Gives how many there are.
async fn everything_is_on_the_feed(store: &KinesisStore) -> usize {
    let deadline = Instant::now() + PATIENCE;
    let feed = store.feed();
    let (mut next, mut seen) = (HashMap::new(), HashSet::new());
    loop {
        let stored = store.read_all(&stream(), Read::all()).await.unwrap();
        for partition in feed.partitions().await.unwrap() {
            let batch = feed.read_after(&partition.id, next.get(&partition.id), 1_000).await.unwrap();
            seen.extend(batch.records.iter().map(|record| record.commit.first));
            next.extend(batch.next.map(|position| (partition.id, position)));
        }
        let missing: Vec<Version> =
            stored.iter().map(|commit| commit.first).filter(|first| !seen.contains(first)).collect();
        if missing.is_empty() {
            return stored.len();
        }
        assert!(Instant::now() < deadline, "{missing:?} did not reach the feed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_published_although_nobody_asks_again() {
    let (wire, store, _) = tapped().await;
    wire.will([LostAnswer; 5]);
    let error = store.append(append(Expected::NoStream)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(everything_is_on_the_feed(&store).await, 1);
    assert!(store.close().await);
}

#[tokio::test]
async fn a_commit_found_by_a_retry_of_the_sdk_is_published() {
    let (wire, store, _) = tapped().await;
    wire.will([LostAnswer]);
    assert!(store.append(append(Expected::NoStream)).await.unwrap().own_retry);
    assert_eq!(everything_is_on_the_feed(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_dropped_at_any_moment_loses_nothing() {
    let config = fresh().await;
    let store = KinesisStore::open(&clients(), &config);
    store.append(append(Expected::NoStream)).await.unwrap();
    let mut dropped = 0;
    for number in 0..300_u64 {
        let within = Duration::from_micros(number * 20);
        dropped +=
            usize::from(tokio::time::timeout(within, store.append(append(Expected::Any))).await.is_err());
    }
    assert!(dropped > 50, "{dropped} of 300 were dropped");
    let stored = everything_is_on_the_feed(&store).await;
    assert!(stored > 301 - dropped, "none of those that were dropped was written");
    assert!(store.close().await);
    let reader = KinesisStore::open(&clients(), &config);
    assert!(everything_is_on_the_feed(&reader).await >= stored);
}

#[tokio::test]
async fn what_cannot_wait_to_be_published_is_refused_before_it_is_written() {
    let mut config = fresh().await;
    config.queue_commits = 20;
    let wire = Wire::focused("-feed");
    let store = KinesisStore::open(&wired(&wire), &config);
    wire.storm(1, &[Mishap::FAILED]);
    for version in 0..20 {
        store.append(append(Expected::Exact(Version(version)))).await.unwrap();
    }
    let error = store.append(append(Expected::Exact(Version(20)))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded, "{error}");
    assert!(error.to_string().contains("test-"), "it names the stream: {error}");
    assert_eq!(store.version(&stream()).await.unwrap(), Version(20), "nothing was written");
    wire.storm(1, &[]);
    assert_eq!(everything_is_on_the_feed(&store).await, 20);
    store.append(append(Expected::Exact(Version(20)))).await.unwrap();
    assert!(store.close().await);
}
