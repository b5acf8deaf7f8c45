//! Iterators of all types, and how far behind the tip an answer is.

use std::time::{Duration, SystemTime};

use aws_sdk_kinesis::{
    primitives::DateTime,
    types::ShardIteratorType::{
        self, AfterSequenceNumber, AtSequenceNumber, AtTimestamp, Latest, TrimHorizon,
    },
};

use super::stream::{TestStream, entry, put, texts};
use crate::clients;

/// Lets the clock of the arrival times move on.
const TICK: Duration = Duration::from_millis(20);

#[tokio::test]
async fn each_type_of_iterator_begins_where_it_says() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let shard = stream.first_shard().await;
    let (mut numbers, mut middle) = (Vec::new(), SystemTime::now());
    for number in 0..6 {
        if number == 3 {
            tokio::time::sleep(TICK).await;
            middle = SystemTime::now();
            tokio::time::sleep(TICK).await;
        }
        numbers.push(put(&stream, "a", &format!("{number}")).await.1);
    }
    let latest = stream.iterator(&shard, Latest).await;
    tokio::time::sleep(TICK).await;
    let at = |time: SystemTime| Some(DateTime::from(time));
    let third = Some(numbers[2].clone());
    let early = middle - Duration::from_secs(60);
    for (kind, number, time, expected) in [
        (TrimHorizon, None, None, "012345"),
        (AtSequenceNumber, third.clone(), None, "2345"),
        (AfterSequenceNumber, third, None, "345"),
        (AtTimestamp, None, at(middle), "345"),
        (AtTimestamp, None, at(early), "012345"),
        (AtTimestamp, None, at(SystemTime::now() - TICK / 4), ""),
    ] {
        let iterator = iterator(&stream, &shard, kind.clone(), number, time).await;
        assert_eq!(texts(&stream.drain(iterator).await.records).concat(), expected, "{kind}");
    }
    put(&stream, "a", "6").await;
    assert_eq!(texts(&stream.drain(latest).await.records), ["6"]);
    local.stop().await;
}

async fn iterator(
    stream: &TestStream,
    shard: &str,
    kind: ShardIteratorType,
    number: Option<String>,
    time: Option<DateTime>,
) -> String {
    let get = stream.client.get_shard_iterator().stream_name(&stream.name).shard_id(shard);
    let get = get.shard_iterator_type(kind).set_starting_sequence_number(number).set_timestamp(time);
    get.send().await.unwrap().shard_iterator.unwrap()
}

#[tokio::test]
async fn an_answer_says_how_far_behind_the_tip_it_is() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let entries = (0..50).map(|number| entry("a", format!("{number}")));
    let records = Some(entries.collect());
    stream.client.put_records().stream_name("orders").set_records(records).send().await.unwrap();
    tokio::time::sleep(TICK).await;
    let shard = stream.first_shard().await;
    let get = stream.client.get_records().shard_iterator(stream.iterator(&shard, TrimHorizon).await);
    let first = get.limit(20).send().await.unwrap();
    assert_eq!(first.records().len(), 20);
    assert!(first.millis_behind_latest().unwrap() >= 20, "{:?}", first.millis_behind_latest());
    let next = first.next_shard_iterator().unwrap();
    let second = stream.client.get_records().shard_iterator(next).send().await.unwrap();
    assert_eq!((second.records().len(), second.millis_behind_latest()), (30, Some(0)));
    local.stop().await;
}

#[tokio::test]
async fn arrival_times_are_in_milliseconds() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    for _ in 0..5 {
        put(&stream, "a", "x").await;
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    let now = DateTime::from(SystemTime::now()).to_millis().unwrap();
    let records = stream.drain_shard(&stream.first_shard().await).await.records;
    let time = |record: &aws_sdk_kinesis::types::Record| {
        record.approximate_arrival_timestamp().unwrap().to_millis().unwrap()
    };
    let times: Vec<i64> = records.iter().map(time).collect();
    assert!(times.is_sorted() && times.iter().all(|time| (now - time).abs() < 5000), "{times:?}");
    assert!(times.iter().any(|time| time % 1000 != 0), "{times:?}");
    local.stop().await;
}
