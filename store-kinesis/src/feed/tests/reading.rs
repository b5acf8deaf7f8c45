//! Reading: what was put comes, in order, wherever it begins, and at the price that was promised.

use headwater::EventFeed;

use super::rig::{Rig, drain, versions};

#[tokio::test]
async fn what_was_put_is_read_in_order_from_every_position() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    for version in 1..=10 {
        rig.put("a", version).await;
    }
    let all = rig.drain(&at, None, 100, 10).await;
    assert_eq!(versions(&all.records), (1..=10).collect::<Vec<_>>());
    assert!(all.records.is_sorted_by(|one, other| one.position < other.position));
    for (number, record) in all.records.iter().enumerate() {
        for feed in [&*rig.feed, &rig.another()] {
            let rest = drain(feed, &at, Some(&record.position), 3, 9 - number).await;
            assert_eq!(versions(&rest.records), (number as u64 + 2..=10).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn a_batch_has_at_most_so_many_records_also_right_after_a_position() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    for version in 1..=7 {
        rig.put("a", version).await;
    }
    for limit in [1, 2, 3, usize::MAX] {
        let all = drain(&rig.another(), &at, None, limit, 7).await;
        assert_eq!(versions(&all.records), (1..=7).collect::<Vec<_>>(), "limit {limit}");
    }
    let third = rig.drain(&at, None, 3, 3).await.next;
    for limit in [1, 2, 4] {
        let batch = rig.another().read_after(&at, third.as_ref(), limit).await.unwrap();
        assert_eq!(batch.records.len(), limit, "the record at the position itself takes no place");
        assert_eq!(batch.records[0].commit.first.0, 4);
    }
    let none = rig.feed.read_after(&at, third.as_ref(), 0).await.unwrap();
    assert_eq!((none.records.len(), none.next, none.ended), (0, third, false));
}

#[tokio::test]
async fn what_was_put_since_a_time_is_read_without_what_was_before() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    for version in 1..=5 {
        rig.put("a", version).await;
    }
    let since = headwater::Timestamp::now() + std::time::Duration::from_millis(5);
    while headwater::Timestamp::now() <= since {
        tokio::task::yield_now().await;
    }
    let nothing = rig.feed.read_since(&at, since, 100).await.unwrap();
    assert_eq!((nothing.records.len(), nothing.next, nothing.ended), (0, None, false));
    for version in 6..=9 {
        rig.put("a", version).await;
    }
    let _before = rig.wire.bill();
    let first = rig.feed.read_since(&at, since, 2).await.unwrap();
    assert_eq!(rig.wire.bill().0, ["GetShardIterator", "GetRecords"], "what was before is not read");
    assert_eq!(versions(&first.records), [6, 7]);
    let rest = rig.drain(&at, first.next.as_ref(), 100, 2).await;
    assert_eq!(versions(&rest.records), [8, 9]);
    // Nobody who begins at the oldest record is given the place of somebody who did not.
    let all = rig.drain(&at, None, 100, 9).await;
    assert_eq!(versions(&all.records), (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_on_costs_one_request() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let _before = rig.wire.bill();
    let first = rig.read(&at, None).await.unwrap();
    let opened = rig.wire.bill().0;
    assert_eq!(opened, ["GetShardIterator", "GetRecords"]);
    for version in 2..10 {
        rig.put("a", version).await;
    }
    let mut next = first.next;
    for _ in 0..4 {
        let batch = rig.feed.read_after(&at, next.as_ref(), 2).await.unwrap();
        assert_eq!(batch.records.len(), 2);
        next = batch.next;
    }
    for _ in 0..3 {
        let empty = rig.read(&at, next.as_ref()).await.unwrap();
        assert_eq!((empty.records.len(), &empty.next), (0, &next));
    }
    assert_eq!(rig.wire.bill().0, vec!["GetRecords"; 7]);
    for _ in 0..3 {
        rig.feed.partitions().await.unwrap();
    }
    assert!(rig.wire.bill().0.is_empty(), "a list of shards is taken for true for a while");
}

#[tokio::test]
async fn two_readers_of_a_shard_do_not_disturb_each_other() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let start = rig.drain(&at, None, 10, 1).await.next;
    for version in 2..=9 {
        rig.put("a", version).await;
    }
    let _before = rig.wire.bill();
    let (mut slow, mut fast) = (start.clone(), start);
    let mut seen = Vec::new();
    for _ in 0..2 {
        fast = rig.feed.read_after(&at, fast.as_ref(), 4).await.unwrap().next;
        for _ in 0..2 {
            let batch = rig.feed.read_after(&at, slow.as_ref(), 2).await.unwrap();
            seen.extend(versions(&batch.records));
            slow = batch.next;
        }
    }
    assert_eq!(seen, (2..=9).collect::<Vec<_>>());
    assert_eq!(fast, slow);
    assert!(!rig.wire.bill().0.contains(&"GetShardIterator".to_owned()), "each has its own iterators");
}

#[tokio::test]
async fn the_largest_records_come_and_are_more_than_one_answer_holds() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    let largest = 1024 * 1024 - 400;
    for version in 1..=12 {
        rig.put_payload("big", version, format!("\"{}\"", "x".repeat(largest)).into_bytes()).await;
    }
    let all = rig.drain(&at, None, 100, 12).await;
    assert_eq!(versions(&all.records), (1..=12).collect::<Vec<_>>());
    assert_eq!(all.records[11].commit.events[0].payload.len(), largest + 2);
}

#[tokio::test]
async fn every_shard_is_a_partition() {
    let rig = Rig::new(4).await;
    for stream in 0..20 {
        rig.put(&stream.to_string(), 1).await;
    }
    let partitions = rig.feed.partitions().await.unwrap();
    assert_eq!(partitions.len(), 4);
    assert!(partitions.iter().all(|partition| partition.parents.is_empty()));
    let mut read = 0;
    for partition in &partitions {
        read += rig.read(&partition.id, None).await.unwrap().records.len();
    }
    assert_eq!(read, 20);
}

#[tokio::test]
async fn a_stream_of_more_shards_than_a_page_is_listed_whole() {
    let rig = Rig::new(1001).await;
    let partitions = rig.feed.partitions().await.unwrap();
    assert_eq!(partitions.len(), 1001);
    assert_eq!(rig.wire.bill().0, ["DescribeStreamSummary", "ListShards", "ListShards"]);
}
