//! Positions that cannot be gone on from: each is refused, and says why.

use headwater::EventFeed;
use headwater::store::{PartitionId, Position, StoreError};

use super::rig::{Rig, refusal};
use crate::feed::limits;

/// A number of the shard at which there is no record, like that of a record that is older than the retention.
async fn number_without_record(rig: &Rig) -> Position {
    let shards = rig.shards().await;
    Position(shards[0].sequence_number_range().unwrap().starting_sequence_number().into())
}

#[tokio::test]
async fn a_position_whose_record_is_gone_is_refused_when_others_follow() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let gone = number_without_record(&rig).await;
    let (_, first) = rig.put("a", 1).await;
    for _ in 0..2 {
        let reason = refusal(rig.read(&at, Some(&gone)).await);
        for part in
            [&format!("position {gone}"), "older than the retention", &format!("the next record is {first}")]
        {
            assert!(reason.contains(part), "{part}: {reason}");
        }
    }
    assert_eq!(
        rig.read(&at, None).await.unwrap().records.len(),
        1,
        "the beginning is still there to be read"
    );
}

#[tokio::test]
async fn a_position_whose_record_is_gone_is_refused_when_nothing_follows() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let gone = number_without_record(&rig).await;
    for _ in 1..limits::MISSED_ANCHORS {
        let early = rig.read(&at, Some(&gone)).await.unwrap();
        assert_eq!(
            (early.records.len(), early.next.as_ref()),
            (0, Some(&gone)),
            "one empty answer proves nothing"
        );
    }
    let reason = refusal(rig.read(&at, Some(&gone)).await);
    assert!(reason.contains("and nothing follows"), "{reason}");
}

#[tokio::test]
async fn a_position_whose_record_is_gone_is_refused_at_the_end_of_a_shard() {
    let rig = Rig::new(2).await;
    let at = rig.partition().await;
    let gone = number_without_record(&rig).await;
    let shards = rig.shards().await;
    let merge =
        rig.client.merge_shards().stream_name(rig.config.stream()).shard_to_merge(shards[0].shard_id());
    merge.adjacent_shard_to_merge(shards[1].shard_id()).send().await.unwrap();
    let reason = refusal(rig.read(&at, Some(&gone)).await);
    assert!(reason.contains("older than the retention"), "{reason}");
}

#[tokio::test]
async fn positions_of_a_stream_that_was_made_anew_are_refused() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let old = rig.read(&at, None).await.unwrap().next;
    let unread = rig.another();
    rig.remake(1).await;
    rig.put("a", 1).await;
    rig.feed.partitions().await.unwrap();
    let reasons = [
        refusal(rig.read(&at, old.as_ref()).await),
        refusal(unread.read_after(&at, old.as_ref(), 10).await),
        refusal(unread.read_after(&at, None, 10).await),
    ];
    for reason in reasons {
        assert!(reason.contains("deleted and made anew"), "{reason}");
    }
    let now = rig.feed.partitions().await.unwrap();
    assert_ne!(now[0].id, at, "the list is new as soon as a position was refused");
    assert_eq!(rig.read(&now[0].id, None).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn an_open_iterator_does_not_outlive_its_stream() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.read(&at, None).await.unwrap();
    rig.client.delete_stream().stream_name(rig.config.stream()).send().await.unwrap();
    let error = rig.read(&at, None).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Unavailable { .. }),
        "that a stream is missing loses nothing yet: {error}"
    );
    rig.create(1).await;
    rig.put("a", 1).await;
    let reason = refusal(rig.read(&at, None).await);
    assert!(reason.contains("deleted and made anew"), "{reason}");
}

#[tokio::test]
async fn what_is_no_partition_or_position_of_the_stream_is_refused() {
    let rig = Rig::new(2).await;
    let partitions = rig.feed.partitions().await.unwrap();
    let (at, created) = (&partitions[0].id, partitions[0].id.0.rsplit_once('.').unwrap().1);
    let (shard, position) = rig.put("a", 1).await;
    let other = partitions.iter().find(|partition| !partition.id.0.starts_with(&shard)).unwrap();
    let cases = [
        (PartitionId("no-such-partition".into()), None, "is not a partition"),
        (
            PartitionId(format!("shardId-000000000099.{created}").into()),
            None,
            "no shard shardId-000000000099",
        ),
        (PartitionId(format!("no shard.{created}").into()), None, "no shard"),
        (at.clone(), Some(Position("latest".into())), "is no sequence number"),
        (at.clone(), Some(Position("42".into())), "Kinesis refuses to read"),
        (other.id.clone(), Some(position), "Kinesis refuses to read"),
    ];
    for (partition, position, expected) in cases {
        let reason = refusal(rig.read(&partition, position.as_ref()).await);
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_unavailable_and_read_once_it_does() {
    let rig = Rig::new(0).await;
    let error = rig.feed.partitions().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("stream test-feed does not exist"), "{source}");
    rig.create(1).await;
    rig.put("a", 1).await;
    let at = rig.partition().await;
    assert_eq!(rig.read(&at, None).await.unwrap().records.len(), 1);
}
