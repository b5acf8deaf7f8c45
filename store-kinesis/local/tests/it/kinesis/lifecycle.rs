//! Streams come, change, go, and outlive a restart.

use aws_sdk_kinesis::{
    primitives::Blob,
    types::{StreamMode, StreamModeDetails, StreamStatus},
};
use headwater_local::{Local, Options};

use super::stream::{TestStream, bounds, put, put_bytes, texts};
use crate::{clients, directory::TestDirectory};

#[tokio::test]
async fn a_new_stream_is_creating_and_then_active_and_its_shards_cover_all_hash_keys() {
    let local = clients::slow().await;
    let client = clients::kinesis(local.kinesis_url());
    client.create_stream().stream_name("orders").shard_count(4).send().await.unwrap();
    let stream = TestStream::open(&client, "orders").await;
    assert_eq!(stream.status().await, StreamStatus::Creating);
    assert_eq!(clients::code(put_bytes(&stream, "a", vec![1]).await), "ResourceNotFoundException");
    stream.active().await;
    let ranges: Vec<(u128, u128)> =
        stream.shards().await.iter().map(|shard| bounds(shard.hash_key_range())).collect();
    assert_eq!(ranges.len(), 4);
    assert_eq!((ranges[0].0, ranges[3].1), (0, u128::MAX));
    assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{ranges:?}");
    local.stop().await;
}

#[tokio::test]
async fn an_on_demand_stream_begins_with_four_shards() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
    client.create_stream().stream_name("orders").stream_mode_details(mode).send().await.unwrap();
    let stream = TestStream::open(&client, "orders").await;
    stream.active().await;
    assert_eq!(stream.shards().await.len(), 4);
    let wide = TestStream::create(&client, "wide", 64).await;
    assert_eq!(wide.shards().await.len(), 64);
    let listed = client.list_streams().limit(1).send().await.unwrap();
    assert_eq!((listed.stream_names(), listed.has_more_streams()), (&["orders".to_owned()][..], true));
    local.stop().await;
}

#[tokio::test]
async fn a_stream_made_again_is_empty_and_old_iterators_are_refused() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    put(&stream, "a", "old").await;
    let shard = stream.first_shard().await;
    let iterator = stream.iterator(&shard, aws_sdk_kinesis::types::ShardIteratorType::TrimHorizon).await;
    client.delete_stream().stream_name("orders").send().await.unwrap();
    let stream = TestStream::create(&client, "orders", 1).await;
    assert_eq!(stream.read_all().await, Vec::<String>::new());
    let old = client.get_records().shard_iterator(iterator).send().await;
    assert_eq!(clients::code(old), "ResourceNotFoundException");
    local.stop().await;
}

#[tokio::test]
async fn the_retention_goes_up_and_down_within_its_bounds() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    let increase = |hours| {
        client.increase_stream_retention_period().stream_name("orders").retention_period_hours(hours).send()
    };
    increase(48).await.unwrap();
    stream.active().await;
    let summary = client.describe_stream_summary().stream_name("orders").send().await.unwrap();
    assert_eq!(summary.stream_description_summary().unwrap().retention_period_hours(), 48);
    assert_eq!(clients::code(increase(24).await), "InvalidArgumentException");
    let decrease = client.decrease_stream_retention_period().stream_name("orders");
    decrease.retention_period_hours(24).send().await.unwrap();
    local.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_everything_and_sequence_numbers_go_on() {
    let directory = TestDirectory::new();
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 2).await;
    let (shard, before) = put(&stream, "a", "kept").await;
    local.stop().await;

    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let stream = TestStream::open(&clients::kinesis(local.kinesis_url()), "orders").await;
    assert_eq!(stream.shards().await.len(), 2);
    assert_eq!(texts(&stream.drain_shard(&shard).await.records), ["kept"]);
    let (_, after) = put(&stream, "a", "more").await;
    assert!(before < after, "{before} then {after}");
    local.stop().await;
}

#[tokio::test]
async fn the_creation_time_outlives_a_restart_and_a_stream_made_anew_has_a_later_one() {
    let directory = TestDirectory::new();
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let first = stream.created().await;
    local.stop().await;

    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::kinesis(local.kinesis_url());
    assert_eq!(TestStream::open(&client, "orders").await.created().await, first);
    client.delete_stream().stream_name("orders").send().await.unwrap();
    let second = TestStream::create(&client, "orders", 1).await.created().await;
    assert!(second > first, "{second:?} after {first:?}");
    local.stop().await;
}

#[tokio::test]
async fn a_stream_can_be_named_by_its_arn_everywhere() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    let arn = stream.arn().await;
    let put = client.put_record().stream_arn(&arn).partition_key("a").data(Blob::new("x"));
    put.send().await.unwrap();
    client.put_records().stream_arn(&arn).records(super::stream::entry("a", "y")).send().await.unwrap();
    let shards = client.list_shards().stream_arn(&arn).send().await.unwrap();
    let get = client.get_shard_iterator().stream_arn(&arn).shard_id(shards.shards()[0].shard_id());
    get.shard_iterator_type("TRIM_HORIZON".into()).send().await.unwrap();
    client.describe_stream_summary().stream_arn(&arn).send().await.unwrap();
    client.describe_stream().stream_arn(&arn).send().await.unwrap();
    assert_eq!(stream.read_all().await, ["x", "y"]);
    local.stop().await;
}
