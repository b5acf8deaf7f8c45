//! Waiting: no longer than needed, no longer than allowed, and no wake-up is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::EventFeed;

use super::rig::{PATIENCE, Rig};
use crate::feed::limits;

#[tokio::test]
async fn a_commit_of_this_process_wakes_its_reader_at_once() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let mut next = None;
    // Quiet for so long that the pauses are at their longest.
    for _ in 0..5 {
        next = rig.read(&at, next.as_ref()).await.unwrap().next;
    }
    let mut longest = Duration::ZERO;
    for version in 1..=20 {
        let (shard, position) = rig.put("a", version).await;
        let (nudges, published) = (Arc::clone(&rig.nudges), position.clone());
        let publisher = tokio::spawn(async move { nudges.published(&shard, &published.0) });
        let began = Instant::now();
        rig.feed.wait(&at, next.as_ref(), PATIENCE).await;
        longest = longest.max(began.elapsed());
        publisher.await.unwrap();
        next = rig.read(&at, next.as_ref()).await.unwrap().next;
        assert_eq!(next, Some(position));
        for _ in 0..3 {
            rig.read(&at, next.as_ref()).await.unwrap();
        }
    }
    assert!(longest < limits::LONGEST_PAUSE / 2, "{longest:?}");
}

#[tokio::test]
async fn what_others_commit_is_found_by_polling_within_a_pause() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    for _ in 0..5 {
        rig.read(&at, None).await.unwrap();
    }
    rig.put("a", 1).await;
    let began = Instant::now();
    rig.feed.wait(&at, None, PATIENCE).await;
    let waited = began.elapsed();
    assert!(waited > limits::LONGEST_PAUSE / 2, "a quiet shard is not asked again at once: {waited:?}");
    assert!(waited < limits::LONGEST_PAUSE * 2, "{waited:?}");
    assert_eq!(rig.read(&at, None).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn waiting_ends_at_its_timeout_and_where_there_is_something_to_do() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let began = Instant::now();
    rig.feed.wait(&at, None, PATIENCE).await;
    assert!(began.elapsed() < limits::LONGEST_PAUSE / 2, "nothing was read here yet");
    for version in 1..=12 {
        rig.put("a", version).await;
    }
    let mut first = None;
    let began = Instant::now();
    for _ in 0..10 {
        first = rig.feed.read_after(&at, first.as_ref(), 1).await.unwrap().next;
        rig.feed.wait(&at, first.as_ref(), PATIENCE).await;
    }
    assert!(began.elapsed() < limits::SHORTEST_PAUSE * 8, "there was more each time: {:?}", began.elapsed());
    let last = rig.drain(&at, first.as_ref(), 10, 2).await.next;
    for _ in 0..5 {
        rig.read(&at, last.as_ref()).await.unwrap();
    }
    for timeout in [Duration::ZERO, Duration::from_millis(30)] {
        let began = Instant::now();
        rig.feed.wait(&at, last.as_ref(), timeout).await;
        let waited = began.elapsed();
        assert!(waited >= timeout && waited < timeout + limits::LONGEST_PAUSE / 2, "{waited:?}");
    }
    rig.feed.wait(&at, last.as_ref(), Duration::MAX).await;
}

#[tokio::test]
async fn a_reader_never_asks_more_often_than_configured() {
    let rig = Rig::with(1, |config| config.reads_per_second = 4).await;
    let at = rig.partition().await;
    let _before = rig.wire.bill();
    let began = Instant::now();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (feed, at) = (Arc::clone(&rig.feed), at.clone());
            tokio::spawn(async move {
                while began.elapsed() < Duration::from_secs(2) {
                    feed.read_after(&at, None, 10).await.unwrap();
                }
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    let reads = rig.wire.bill().0.iter().filter(|operation| *operation == "GetRecords").count();
    assert!((5..=13).contains(&reads), "{reads} reads in two seconds and the last ones' turns");
}
