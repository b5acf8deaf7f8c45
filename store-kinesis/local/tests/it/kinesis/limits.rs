//! Sizes of records, requests and answers.

use aws_sdk_kinesis::types::ShardIteratorType;

use super::stream::{TestStream, entry, put_bytes};
use crate::clients;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_record_holds_one_mebibyte_with_its_key() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    put_bytes(&stream, "a", vec![1; MIB - 1]).await.unwrap();
    assert_eq!(clients::code(put_bytes(&stream, "a", vec![1; MIB]).await), "ValidationException");
    let long_key = "k".repeat(257);
    assert_eq!(clients::code(put_bytes(&stream, &long_key, vec![1]).await), "ValidationException");
    local.stop().await;
}

#[tokio::test]
async fn a_request_holds_five_hundred_records_and_ten_mebibytes() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let put = |count: usize, bytes: usize| {
        let entries = (0..count).map(|_| entry("a", vec![1; bytes])).collect();
        stream.client.put_records().stream_name("orders").set_records(Some(entries)).send()
    };
    put(9, MIB - 1).await.unwrap();
    assert_eq!(clients::code(put(11, MIB - 1).await), "InvalidArgumentException");
    assert_eq!(clients::code(put(501, 1).await), "ValidationException");
    local.stop().await;
}

#[tokio::test]
async fn an_answer_holds_ten_mebibytes() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    for _ in 0..2 {
        let entries = (0..7).map(|_| entry("a", vec![7; 1_000_000])).collect();
        let put = stream.client.put_records().stream_name("orders").set_records(Some(entries));
        put.send().await.unwrap();
    }
    let shard = stream.first_shard().await;
    let iterator = stream.iterator(&shard, ShardIteratorType::TrimHorizon).await;
    let answer = stream.client.get_records().shard_iterator(iterator).send().await.unwrap();
    assert_eq!(answer.records().len(), 10);
    assert_eq!(stream.drain_shard(&shard).await.records.len(), 14);
    local.stop().await;
}
