//! Refusals have the codes of AWS.

use aws_sdk_kinesis::{primitives::Blob, types::ShardIteratorType};

use super::stream::{TestStream, put};
use crate::clients;

#[tokio::test]
async fn refusals_have_the_codes_of_aws() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 2).await;
    let absent = client.put_record().stream_name("absent").partition_key("a").data(Blob::new("x"));
    assert_eq!(clients::code(absent.send().await), "ResourceNotFoundException");
    let again = client.create_stream().stream_name("orders").shard_count(1);
    assert_eq!(clients::code(again.send().await), "ResourceInUseException");
    let garbage = client.get_records().shard_iterator("AAAAgarbage");
    assert_eq!(clients::code(garbage.send().await), "InvalidArgumentException");
    let (shard, number) = put(&stream, "a", "x").await;
    let shards = stream.shards().await;
    let other = shards.iter().find(|listed| listed.shard_id != shard).unwrap();
    for (shard, number) in [(&shard, "123"), (&other.shard_id, number.as_str())] {
        let get = client.get_shard_iterator().stream_name("orders").shard_id(shard);
        let get = get.shard_iterator_type(ShardIteratorType::AfterSequenceNumber);
        let foreign = get.starting_sequence_number(number).send().await;
        assert_eq!(clients::code(foreign), "InvalidArgumentException", "{number}");
    }
    let get = client.get_shard_iterator().stream_name("orders").shard_id("shardId-000000000009");
    let absent = get.shard_iterator_type(ShardIteratorType::Latest).send().await;
    assert_eq!(clients::code(absent), "ResourceNotFoundException");
    let unknown = client.describe_limits().send().await;
    assert_eq!(clients::code(unknown), "UnknownOperationException");
    local.stop().await;
}
