//! Faults between the feed and Kinesis: absorbed within bounds, or told; never a gap.

use std::time::{Duration, Instant};

use headwater::store::StoreError;
use headwater_aws::testing::Mishap;

use super::rig::{Rig, versions};
use crate::feed::limits;

const EXPIRED: Mishap = Mishap::Answer(400, "ExpiredIteratorException", "\"message\":\"Iterator expired.\"");

#[tokio::test]
async fn an_expired_iterator_is_replaced_without_a_word() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let next = rig.read(&at, None).await.unwrap().next;
    rig.put("a", 2).await;
    let _before = rig.wire.bill();
    rig.wire.will([EXPIRED]);
    let batch = rig.read(&at, next.as_ref()).await.unwrap();
    assert_eq!(versions(&batch.records), [2]);
    let asked = rig.wire.bill().0;
    assert_eq!(asked, ["GetRecords", "GetShardIterator", "GetRecords"]);
}

#[tokio::test]
async fn a_shard_that_is_throttled_is_left_alone_for_a_second() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let next = rig.read(&at, None).await.unwrap().next;
    rig.put("a", 2).await;
    let _before = rig.wire.bill();
    rig.wire.will([Mishap::TOO_FAST]);
    let began = Instant::now();
    let batch = rig.read(&at, next.as_ref()).await.unwrap();
    assert_eq!(versions(&batch.records), [2]);
    assert!(began.elapsed() >= limits::THROTTLED_PAUSE, "{:?}", began.elapsed());
    assert_eq!(rig.wire.bill().0, ["GetRecords"; 2]);
}

#[tokio::test]
async fn throttling_that_goes_on_is_told_with_the_time_to_come_back() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    rig.read(&at, None).await.unwrap();
    let _before = rig.wire.bill();
    rig.wire.storm(1, &[Mishap::TOO_FAST]);
    match rig.read(&at, None).await {
        Err(StoreError::Overloaded { retry_after, .. }) => {
            assert_eq!(retry_after, Some(limits::THROTTLED_PAUSE))
        }
        other => panic!("overloaded, not {other:?}"),
    }
    assert_eq!(rig.wire.bill().0.len(), limits::TRIES as usize);
    rig.wire.storm(1, &[]);
    assert_eq!(rig.read(&at, None).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn after_a_large_answer_a_throttled_shard_is_left_alone_for_five_seconds() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    for version in 1..=10 {
        let payload = format!("\"{}\"", "x".repeat(1_000_000));
        rig.put_payload("a", version, payload.into_bytes()).await;
    }
    let next = rig.read(&at, None).await.unwrap().next;
    rig.wire.will([Mishap::TOO_FAST]);
    let began = Instant::now();
    rig.read(&at, next.as_ref()).await.unwrap();
    assert!(began.elapsed() >= limits::LARGE_PAUSE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn answers_that_do_not_come_are_given_up_and_nothing_is_skipped() {
    let rig = Rig::with(1, |config| {
        config.reads_per_second = 1000;
        config.reading.attempt_timeout = Duration::from_millis(200);
    })
    .await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let next = rig.read(&at, None).await.unwrap().next;
    rig.put("a", 2).await;
    rig.wire.will([Mishap::Silence; 2]);
    let began = Instant::now();
    let error = rig.read(&at, next.as_ref()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(versions(&rig.read(&at, next.as_ref()).await.unwrap().records), [2]);
    rig.put("a", 3).await;
    rig.wire.will([Mishap::LostAnswer, Mishap::Nothing]);
    let all = rig.read(&at, next.as_ref()).await.unwrap();
    assert_eq!(versions(&all.records), [2, 3], "one lost answer is absorbed");
}

#[tokio::test]
async fn a_storm_of_faults_loses_nothing() {
    let rig = Rig::new(2).await;
    for version in 1..=40 {
        rig.put(&(version % 5).to_string(), version).await;
    }
    rig.wire.storm(4, &[EXPIRED, Mishap::FAILED, Mishap::LostAnswer]);
    let mut seen = Vec::new();
    for number in 0..2 {
        let partition = loop {
            if let Ok(partitions) = headwater::EventFeed::partitions(&*rig.feed).await {
                break partitions[number].id.clone();
            }
        };
        let (mut next, mut quiet) = (None, 0);
        while quiet < 3 {
            match headwater::EventFeed::read_after(&*rig.feed, &partition, next.as_ref(), 3).await {
                Ok(batch) => {
                    quiet = if batch.records.is_empty() { quiet + 1 } else { 0 };
                    seen.extend(versions(&batch.records));
                    next = batch.next;
                }
                Err(error) => assert!(error.retry_helps(), "{error:?}"),
            }
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_end_without_children_is_believed_only_when_the_list_agrees() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let (_, position) = rig.put("a", 1).await;
    rig.wire.will([Mishap::Nothing, Mishap::Answer(200, "End", "\"Records\":[],\"MillisBehindLatest\":0")]);
    let error = rig.read(&at, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(rig.read(&at, None).await.unwrap().next, Some(position));
}
