//! Fan-out: a reader sees what it would see by polling, whatever becomes of the subscriptions.

use std::time::{Duration, Instant};

use headwater::EventFeed;
use headwater::store::{PartitionId, Position, StoreError};
use headwater_aws::testing::Mishap;

use super::rig::{PATIENCE, Rig, drain, versions};
use crate::feed::KinesisFeed;

/// Subscriptions that Kinesis was asked for since the last bill.
fn subscriptions(rig: &Rig) -> usize {
    rig.wire.bill().0.iter().filter(|operation| *operation == "SubscribeToShard").count()
}

/// Reads until there is an error.
async fn error(feed: &KinesisFeed, at: &PartitionId, after: Option<&Position>) -> StoreError {
    let reading = async {
        loop {
            match feed.read_after(at, after, 10).await {
                Ok(batch) => assert!(batch.records.is_empty(), "{batch:?}"),
                Err(error) => return error,
            }
            feed.wait(at, after, PATIENCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the error comes in time")
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Position { reason } => reason,
        other => panic!("a refused position, not {other:?}"),
    }
}

#[tokio::test]
async fn what_is_put_is_pushed_at_once_and_in_order() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    let mut next = None;
    for version in 1..=30 {
        rig.put("a", version).await;
        let began = Instant::now();
        let batch = rig.drain(&at, next.as_ref(), 10, 1).await;
        assert_eq!(versions(&batch.records), [version]);
        // The first one waits for the consumer to be registered.
        assert!(version == 1 || began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        next = batch.next;
    }
    let asked = rig.wire.bill().0;
    assert!(!asked.contains(&"GetRecords".to_owned()), "{asked:?}");
    assert_eq!(asked.iter().filter(|operation| *operation == "SubscribeToShard").count(), 1);
}

#[tokio::test]
async fn reading_resumes_at_every_position_also_beside_another_reader() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    for version in 1..=10 {
        rig.put("a", version).await;
    }
    let all = rig.drain(&at, None, 3, 10).await;
    assert_eq!(versions(&all.records), (1..=10).collect::<Vec<_>>());
    for (number, record) in all.records.iter().enumerate() {
        let rest = rig.drain(&at, Some(&record.position), 4, 9 - number).await;
        assert_eq!(versions(&rest.records), (number as u64 + 2..=10).collect::<Vec<_>>());
    }
    let fresh = rig.another();
    let rest = drain(&fresh, &at, Some(&all.records[6].position), 2, 3).await;
    assert_eq!(versions(&rest.records), [8, 9, 10]);
}

#[tokio::test]
async fn positions_that_cannot_be_gone_on_from_are_refused() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    let gone = rig.shards().await[0].sequence_number_range().unwrap().starting_sequence_number().to_owned();
    let gone = Position(gone.into());
    let (_, first) = rig.put("a", 1).await;
    let lost = reason(error(&rig.feed, &at, Some(&gone)).await);
    assert!(lost.contains(&format!("the next record is {first}")), "{lost}");
    let foreign = reason(error(&rig.another(), &at, Some(&Position("42".into()))).await);
    assert!(foreign.contains("Kinesis refuses to read"), "{foreign}");
    let created = at.0.rsplit_once('.').unwrap().1;
    let unknown = PartitionId(format!("shardId-000000000099.{created}").into());
    let unknown = reason(error(&rig.feed, &unknown, None).await);
    assert!(unknown.contains("no shard shardId-000000000099"), "{unknown}");
    assert_eq!(drain(&rig.another(), &at, None, 10, 1).await.records.len(), 1);
}

#[tokio::test]
async fn positions_of_a_stream_that_was_made_anew_are_refused_when_records_are_pushed() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let old = rig.drain(&at, None, 10, 1).await.next;
    let name = rig.config.stream();
    rig.client.delete_stream().stream_name(name).enforce_consumer_deletion(true).send().await.unwrap();
    let missing = error(&rig.feed, &at, old.as_ref()).await;
    assert!(missing.retry_helps(), "that a stream is missing loses nothing yet: {missing}");
    rig.create(1).await;
    let remade = loop {
        match error(&rig.feed, &at, old.as_ref()).await {
            error if error.retry_helps() => {}
            error => break reason(error),
        }
    };
    assert!(remade.contains("deleted and made anew"), "{remade}");
    rig.put("a", 1).await;
    let unread = reason(error(&rig.another(), &at, None).await);
    assert!(unread.contains("deleted and made anew"), "also where nothing was read: {unread}");
    let now = rig.another().partitions().await.unwrap().remove(0).id;
    assert_eq!(rig.drain(&now, None, 10, 1).await.records.len(), 1);
}

#[tokio::test]
async fn a_silent_subscription_is_replaced_and_nothing_is_lost() {
    let rig = Rig::fan_out(1).await;
    let feed = rig.another().with_silence(Duration::from_millis(500));
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let mut next = drain(&feed, &at, None, 10, 1).await.next;
    let _before = rig.wire.bill();
    for version in 2..=4 {
        // The look-alike sends its sign of life every five seconds: the subscription falls silent before.
        let quiet = Instant::now();
        while quiet.elapsed() < Duration::from_secs(1) {
            feed.wait(&at, next.as_ref(), Duration::from_secs(1)).await;
            assert!(feed.read_after(&at, next.as_ref(), 10).await.unwrap().records.is_empty());
        }
        rig.put("a", version).await;
        let batch = drain(&feed, &at, next.as_ref(), 10, 1).await;
        assert_eq!(versions(&batch.records), [version]);
        next = batch.next;
    }
    assert!(subscriptions(&rig) >= 2);
    drop(feed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _before = rig.wire.bill();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(subscriptions(&rig), 0, "the tasks of a feed end with it");
}

#[tokio::test]
async fn a_shard_that_nobody_reads_is_not_subscribed_to_again() {
    let rig = Rig::fan_out(1).await;
    let feed = rig.another().with_silence(Duration::from_millis(500));
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let next = drain(&feed, &at, None, 10, 1).await.next;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let _before = rig.wire.bill();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(subscriptions(&rig), 0);
    rig.put("a", 2).await;
    assert_eq!(versions(&drain(&feed, &at, next.as_ref(), 10, 1).await.records), [2]);
}

#[tokio::test]
async fn faults_while_subscribing_are_absorbed() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    for version in 1..=3 {
        rig.put("a", version).await;
    }
    let throttled = Mishap::Answer(400, "LimitExceededException", "\"message\":\"slow down\"");
    rig.wire.will([Mishap::LostAnswer, Mishap::FAILED, Mishap::TOO_FAST, throttled]);
    assert_eq!(versions(&rig.drain(&at, None, 2, 3).await.records), [1, 2, 3]);
}

#[tokio::test]
async fn a_consumer_that_was_deregistered_is_registered_again() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let next = rig.drain(&at, None, 10, 1).await.next;
    let look = rig.client.describe_stream_summary().stream_name(rig.config.stream()).send().await.unwrap();
    let arn = look.stream_description_summary.unwrap().stream_arn;
    let gone = rig.client.deregister_stream_consumer().stream_arn(arn).consumer_name("app");
    gone.send().await.unwrap();
    rig.put("a", 2).await;
    assert_eq!(versions(&rig.drain(&at, next.as_ref(), 10, 1).await.records), [2]);
}

#[tokio::test]
async fn a_slow_reader_gets_everything_and_the_buffer_stays_small() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    for version in 1..=20 {
        let payload = format!("\"{}\"", "x".repeat(900_000));
        rig.put_payload("a", version, payload.into_bytes()).await;
    }
    let mut next = rig.feed.read_after(&at, None, 1).await.unwrap().next;
    let mut seen = Vec::new();
    while seen.len() < 20 {
        rig.feed.wait(&at, next.as_ref(), PATIENCE).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let batch = rig.feed.read_after(&at, next.as_ref(), usize::MAX).await.unwrap();
        assert!(
            batch.records.len() <= 5,
            "{} records of nearly 1 MB were in the buffer",
            batch.records.len()
        );
        seen.extend(versions(&batch.records));
        next = batch.next;
    }
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn records_that_are_no_commits_are_passed_over_and_newer_ones_stop_the_shard() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let (_, nonsense) = rig.put_bytes("b", b"nonsense".to_vec()).await;
    let mut next = rig.drain(&at, None, 10, 1).await.next;
    while next.as_ref() != Some(&nonsense) {
        rig.feed.wait(&at, next.as_ref(), PATIENCE).await;
        next = rig.feed.read_after(&at, next.as_ref(), 10).await.unwrap().next;
    }
    assert_eq!(rig.feed.passed_over(), 1);
    rig.put("a", 2).await;
    let (_, newer) = rig.put_bytes("b", br#"{"format":1000}"#.to_vec()).await;
    let before = rig.drain(&at, next.as_ref(), 10, 1).await;
    assert_eq!(versions(&before.records), [2]);
    let stopped = error(&rig.feed, &at, before.next.as_ref()).await;
    assert!(stopped.to_string().contains(&format!("position {newer}")), "{stopped}");
    assert!(stopped.retry_helps());
}

#[tokio::test]
async fn a_shard_is_handed_over_from_one_reader_to_another() {
    let rig = Rig::fan_out(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let before = rig.drain(&at, None, 10, 1).await;
    // The old reader still has its subscription, and reads no more.
    let successor = rig.another();
    let mut next = before.next;
    for version in 2..=20 {
        rig.put("a", version).await;
        let batch = drain(&successor, &at, next.as_ref(), 10, 1).await;
        assert_eq!(versions(&batch.records), [version]);
        next = batch.next;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(subscriptions(&rig) <= 12, "they do not take the shard from each other again and again");
}
