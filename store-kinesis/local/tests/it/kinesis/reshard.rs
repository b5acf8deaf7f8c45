//! Split, merge and scale: parents end, name their children, and children take over.

use aws_sdk_kinesis::types::{ScalingType, Shard, ShardIteratorType, StreamStatus};

use super::stream::{TestStream, bounds, put};
use crate::clients;

fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range().unwrap().ending_sequence_number().is_none()
}

#[tokio::test]
async fn a_split_shard_ends_with_two_children_that_take_over() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    let parent = stream.first_shard().await;
    for number in 0..20 {
        put(&stream, &format!("key-{number}"), "before").await;
    }
    let middle = (u128::MAX / 2 + 1).to_string();
    let split = || client.split_shard().stream_name("orders").shard_to_split(&parent);
    split().new_starting_hash_key(&middle).send().await.unwrap();
    stream.active().await;
    let again = split().new_starting_hash_key(&middle).send().await;
    assert_eq!(clients::code(again), "InvalidArgumentException");

    let shards = stream.shards().await;
    assert_eq!(shards.iter().map(is_open).collect::<Vec<_>>(), [false, true, true]);
    assert!(shards[1..].iter().all(|child| child.parent_shard_id() == Some(&parent)));
    for number in 0..20 {
        let (shard, _) = put(&stream, &format!("key-{number}"), "after").await;
        assert_ne!(shard, parent);
    }
    let drained = stream.drain_shard(&parent).await;
    assert!(drained.ended);
    assert_eq!(drained.records.len(), 20);
    for (child, listed) in drained.children.iter().zip(&shards[1..]) {
        assert_eq!(child.shard_id(), listed.shard_id());
        assert_eq!(child.parent_shards(), [parent.as_str()]);
        assert_eq!(bounds(child.hash_key_range()), bounds(listed.hash_key_range()));
    }
    assert_eq!(drained.children.len(), 2);
    let mut after = 0;
    for child in &shards[1..] {
        after += stream.drain_shard(child.shard_id()).await.records.len();
    }
    assert_eq!(after, 20);
    local.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_updating_refuses_another_change_and_takes_records() {
    let local = clients::slow().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 1).await;
    let shard = stream.first_shard().await;
    let split = || client.split_shard().stream_name("orders").shard_to_split(&shard);
    split().new_starting_hash_key("1000").send().await.unwrap();
    assert_eq!(stream.status().await, StreamStatus::Updating);
    assert_eq!(clients::code(split().new_starting_hash_key("1000").send().await), "ResourceInUseException");
    put(&stream, "a", "meanwhile").await;
    assert_eq!(stream.read_all().await, ["meanwhile"]);
    local.stop().await;
}

#[tokio::test]
async fn an_iterator_at_the_tip_ends_when_its_shard_is_merged() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 3).await;
    let ids: Vec<String> = stream.shards().await.into_iter().map(|shard| shard.shard_id).collect();
    let merge = |one: &str, other: &str| {
        let merge = client.merge_shards().stream_name("orders").shard_to_merge(one);
        merge.adjacent_shard_to_merge(other).send()
    };
    assert_eq!(clients::code(merge(&ids[0], &ids[2]).await), "InvalidArgumentException");
    let tip = stream.iterator(&ids[0], ShardIteratorType::Latest).await;
    merge(&ids[0], &ids[1]).await.unwrap();
    stream.active().await;
    let shards = stream.shards().await;
    let child = shards.iter().find(|shard| shard.parent_shard_id().is_some()).unwrap();
    assert_eq!(child.parent_shard_id(), Some(ids[0].as_str()));
    assert_eq!(child.adjacent_parent_shard_id(), Some(ids[1].as_str()));
    let drained = stream.drain(tip).await;
    assert!(drained.ended);
    assert_eq!(drained.children.len(), 1);
    assert_eq!(drained.children[0].parent_shards(), &ids[..2]);
    local.stop().await;
}

#[tokio::test]
async fn scaling_leaves_evenly_wide_shards_that_have_parents() {
    let local = clients::in_memory().await;
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "orders", 2).await;
    for target in [4_u8, 3, 2] {
        let update = client.update_shard_count().stream_name("orders").target_shard_count(i32::from(target));
        update.scaling_type(ScalingType::UniformScaling).send().await.unwrap();
        stream.active().await;
        let mut open: Vec<Shard> = stream.shards().await.into_iter().filter(is_open).collect();
        open.sort_by_key(|shard| bounds(shard.hash_key_range()));
        assert_eq!(open.len(), usize::from(target));
        assert!(open.iter().all(|shard| shard.parent_shard_id().is_some()), "{open:?}");
        let widths: Vec<u128> = open
            .iter()
            .map(|shard| bounds(shard.hash_key_range()))
            .map(|(first, last)| last - first)
            .collect();
        assert!(widths.iter().all(|width| width.abs_diff(widths[0]) <= u128::from(target)), "{widths:?}");
    }
    let too_far = client.update_shard_count().stream_name("orders").target_shard_count(5);
    let too_far = too_far.scaling_type(ScalingType::UniformScaling).send().await;
    assert_eq!(clients::code(too_far), "InvalidArgumentException");
    local.stop().await;
}
