//! ListShards: pages and filters.

use aws_sdk_kinesis::{
    operation::list_shards::ListShardsOutput,
    types::{ShardFilter, ShardFilterType},
};

use super::stream::TestStream;
use crate::clients;

fn ids(answer: &ListShardsOutput) -> Vec<String> {
    answer.shards().iter().map(|shard| shard.shard_id.clone()).collect()
}

#[tokio::test]
async fn a_listing_goes_on_with_the_token_alone() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    TestStream::create(&client, "orders", 4).await;
    let first = client.list_shards().stream_name("orders").max_results(3).send().await.unwrap();
    assert_eq!(first.shards().len(), 3);
    let token = first.next_token().unwrap();
    let second = client.list_shards().next_token(token).send().await.unwrap();
    assert_eq!(ids(&second), ["shardId-000000000003"]);
    assert_eq!(second.next_token(), None);
    let both = client.list_shards().stream_name("orders").next_token(token).send().await;
    assert_eq!(clients::code(both), "InvalidArgumentException");
    let behind = client.list_shards().stream_name("orders").exclusive_start_shard_id("shardId-000000000001");
    assert_eq!(ids(&behind.send().await.unwrap()), ["shardId-000000000002", "shardId-000000000003"]);
    local.stop().await;
}

#[tokio::test]
async fn filters_tell_the_parents_from_the_children() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    let split = client.split_shard().stream_name("orders").shard_to_split("shardId-000000000000");
    split.new_starting_hash_key((u128::MAX / 2 + 1).to_string()).send().await.unwrap();
    stream.active().await;
    let (parent, children) = (0..1, 1..3);
    for (kind, expected) in [
        (ShardFilterType::AtLatest, children.clone()),
        (ShardFilterType::AtTrimHorizon, parent),
        (ShardFilterType::FromTrimHorizon, 0..3),
    ] {
        let filter = ShardFilter::builder().r#type(kind.clone()).build().unwrap();
        let answer = client.list_shards().stream_name("orders").shard_filter(filter).send().await.unwrap();
        let expected: Vec<String> = expected.map(|number| format!("shardId-{number:012}")).collect();
        assert_eq!(ids(&answer), expected, "{kind}");
    }
    let after = ShardFilter::builder().r#type(ShardFilterType::AfterShardId).shard_id("shardId-000000000000");
    let filter = after.build().unwrap();
    let answer = client.list_shards().stream_name("orders").shard_filter(filter).send().await.unwrap();
    assert_eq!(answer.shards().len(), children.len());
    local.stop().await;
}
