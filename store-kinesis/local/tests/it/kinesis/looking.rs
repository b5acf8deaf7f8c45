//! What somebody asks who looks inside: descriptions and tags.

use std::collections::HashMap;

use super::stream::TestStream;
use crate::clients;

#[tokio::test]
async fn a_description_has_the_shards_page_by_page() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 3).await;
    let describe = || client.describe_stream().stream_name("orders");
    let whole = describe().send().await.unwrap().stream_description.unwrap();
    assert_eq!(whole.shards(), stream.shards().await);
    assert_eq!((whole.has_more_shards(), whole.retention_period_hours()), (false, 24));
    assert_eq!(whole.stream_creation_timestamp(), &stream.created().await);
    let first = describe().limit(2).send().await.unwrap().stream_description.unwrap();
    assert_eq!((first.shards(), first.has_more_shards()), (&whole.shards()[..2], true));
    let last = first.shards()[1].shard_id();
    let rest = describe().exclusive_start_shard_id(last).send().await.unwrap().stream_description.unwrap();
    assert_eq!((rest.shards(), rest.has_more_shards()), (&whole.shards()[2..], false));
    local.stop().await;
}

async fn tags(client: &aws_sdk_kinesis::Client) -> Vec<(String, String)> {
    let listed = client.list_tags_for_stream().stream_name("orders").send().await.unwrap();
    let tag = |tag: aws_sdk_kinesis::types::Tag| (tag.key, tag.value.unwrap_or_default());
    listed.tags.into_iter().map(tag).collect()
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed_and_go_with_their_stream() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let create = client.create_stream().stream_name("orders").shard_count(1);
    create.tags("team", "one").send().await.unwrap();
    let add = client.add_tags_to_stream().stream_name("orders").tags("team", "two").tags("use", "test");
    add.send().await.unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(tags(&client).await, [pair("team", "two"), pair("use", "test")]);
    let first = client.list_tags_for_stream().stream_name("orders").limit(1).send().await.unwrap();
    assert_eq!((first.tags().len(), first.has_more_tags()), (1, true));
    client.remove_tags_from_stream().stream_name("orders").tag_keys("team").send().await.unwrap();
    assert_eq!(tags(&client).await, [pair("use", "test")]);
    let many: HashMap<String, String> = (0..50).map(|number| (format!("{number}"), String::new())).collect();
    let too_many = client.add_tags_to_stream().stream_name("orders").set_tags(Some(many)).send().await;
    assert_eq!(clients::code(too_many), "InvalidArgumentException");
    assert_eq!(tags(&client).await, [pair("use", "test")]);
    client.delete_stream().stream_name("orders").send().await.unwrap();
    TestStream::create(&client, "orders", 1).await;
    assert_eq!(tags(&client).await, []);
    local.stop().await;
}
