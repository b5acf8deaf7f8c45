//! Where records go, and in which order they are read.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_kinesis::{primitives::Blob, types::ShardIteratorType};
use md5::{Digest, Md5};

use super::stream::{TestStream, bounds, entry, put, texts};
use crate::clients;

#[tokio::test]
async fn a_record_goes_to_the_shard_of_its_keys_md5_or_of_the_explicit_hash_key() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 4).await;
    let shards = stream.shards().await;
    for number in 0..40 {
        let key = format!("key-{number}");
        let (shard, _) = put(&stream, &key, "x").await;
        let shard = shards.iter().find(|listed| listed.shard_id == shard).unwrap();
        let (first, last) = bounds(shard.hash_key_range());
        let hash = u128::from_be_bytes(Md5::digest(key.as_bytes()).into());
        assert!((first..=last).contains(&hash), "{key} went to {}", shard.shard_id);
    }
    let put = stream.client.put_record().stream_name("orders").partition_key("z").data(Blob::new("x"));
    let last = put.explicit_hash_key(u128::MAX.to_string()).send().await.unwrap();
    assert_eq!(last.shard_id, shards[3].shard_id);
    local.stop().await;
}

#[tokio::test]
async fn five_hundred_records_of_one_request_are_read_in_its_order() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 4).await;
    let entries = (0..500).map(|number| entry(&format!("key-{}", number % 8), format!("{number}")));
    let put = stream.client.put_records().stream_name("orders").set_records(Some(entries.collect()));
    let answer = put.send().await.unwrap();
    assert_eq!((answer.failed_record_count(), answer.records().len()), (Some(0), 500));
    let mut last: HashMap<&str, &str> = HashMap::new();
    for result in answer.records() {
        let (shard, number) = (result.shard_id().unwrap(), result.sequence_number().unwrap());
        assert_eq!(number.len(), 56);
        assert!(last.insert(shard, number).is_none_or(|before| before < number), "{number} in {shard}");
    }
    let mut read = 0;
    for shard in stream.shards().await {
        let texts = texts(&stream.drain_shard(&shard.shard_id).await.records);
        let numbers: Vec<u32> = texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        read += numbers.len();
    }
    assert_eq!(read, 500);
    local.stop().await;
}

/// Each of twelve writers puts so many batches of so many records.
pub(super) const WRITERS: usize = 12;
const BATCHES: usize = 20;
const BATCH: usize = 25;
pub(super) const WRITTEN: usize = WRITERS * BATCHES * BATCH;

/// Writes batch after batch.
pub(super) async fn write(stream: TestStream, writer: usize) {
    for batch in 0..BATCHES {
        let entries = (0..BATCH).map(|number| entry("key", format!("{writer}-{batch}-{number}")));
        let put = stream.client.put_records().stream_name(&stream.name);
        put.set_records(Some(entries.collect())).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_reader_at_the_tip_misses_nothing_of_twelve_writers() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let shard = stream.first_shard().await;
    let mut iterator = stream.iterator(&shard, ShardIteratorType::TrimHorizon).await;
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(stream.clone(), writer))).collect();
    let (mut seen, mut last) = (BTreeSet::new(), String::new());
    loop {
        // Asked before reading: what was written by then is in this answer or in an earlier one.
        let finished = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let answer = stream.client.get_records().shard_iterator(iterator).send().await.unwrap();
        for (record, text) in answer.records().iter().zip(texts(answer.records())) {
            assert!(last.as_str() < record.sequence_number(), "out of order");
            record.sequence_number().clone_into(&mut last);
            assert!(seen.insert(text), "twice");
        }
        if finished && answer.records().is_empty() {
            break;
        }
        iterator = answer.next_shard_iterator.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen.len(), WRITTEN);
    local.stop().await;
}
