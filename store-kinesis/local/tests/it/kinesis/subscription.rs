//! SubscribeToShard: records are pushed, one subscription at a time, until the shard ends.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_kinesis::types::{
    ConsumerStatus, ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use aws_sdk_kinesis::{
    error::SdkError,
    operation::subscribe_to_shard::{SubscribeToShardError, SubscribeToShardOutput},
};

use super::{
    order::{WRITERS, WRITTEN, write},
    stream::{TestStream, put, texts},
};
use crate::clients;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn consumer(stream: &TestStream) -> String {
    let arn = stream.arn().await;
    let register = stream.client.register_stream_consumer().stream_arn(&arn).consumer_name("app");
    let consumer = register.send().await.unwrap().consumer.unwrap().consumer_arn;
    loop {
        let describe = stream.client.describe_stream_consumer().consumer_arn(&consumer).send().await;
        let description = describe.unwrap().consumer_description.unwrap();
        assert_eq!(description.stream_arn(), arn);
        if description.consumer_status == ConsumerStatus::Active {
            return consumer;
        }
    }
}

async fn subscribe(
    stream: &TestStream,
    consumer: &str,
    shard: &str,
    position: StartingPosition,
) -> Result<SubscribeToShardOutput, SdkError<SubscribeToShardError>> {
    let subscribe = stream.client.subscribe_to_shard().consumer_arn(consumer).shard_id(shard);
    subscribe.starting_position(position).send().await
}

fn beginning() -> StartingPosition {
    StartingPosition::builder().r#type(ShardIteratorType::TrimHorizon).build().unwrap()
}

/// The next event, or `None` at the end.
async fn next(output: &mut SubscribeToShardOutput) -> Option<SubscribeToShardEvent> {
    let event = tokio::time::timeout(PATIENCE, output.event_stream.recv()).await.unwrap().unwrap();
    match event? {
        SubscribeToShardEventStream::SubscribeToShardEvent(event) => Some(event),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_subscription_pushes_what_is_put_and_ends_with_the_children() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let shard = stream.first_shard().await;
    let consumer = consumer(&stream).await;
    put(&stream, "a", "stored").await;
    let mut output = subscribe(&stream, &consumer, &shard, beginning()).await.unwrap();
    assert_eq!(texts(next(&mut output).await.unwrap().records()), ["stored"]);
    put(&stream, "a", "pushed").await;
    let pushed = next(&mut output).await.unwrap();
    assert_eq!(texts(pushed.records()), ["pushed"]);
    let number = pushed.continuation_sequence_number();
    assert_eq!(number, pushed.records()[0].sequence_number());

    let position = StartingPosition::builder().r#type(ShardIteratorType::AfterSequenceNumber);
    let position = position.sequence_number(number).build().unwrap();
    let second = subscribe(&stream, &consumer, &shard, position).await;
    assert_eq!(clients::code(second), "ResourceInUseException");

    let split = stream.client.split_shard().stream_name("orders").shard_to_split(&shard);
    split.new_starting_hash_key((u128::MAX / 2 + 1).to_string()).send().await.unwrap();
    assert_eq!(next(&mut output).await.unwrap().child_shards().len(), 2);
    assert!(next(&mut output).await.is_none());
    local.stop().await;
}

#[tokio::test]
async fn a_subscription_misses_nothing_of_twelve_writers() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let shard = stream.first_shard().await;
    let consumer = consumer(&stream).await;
    let mut output = subscribe(&stream, &consumer, &shard, beginning()).await.unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(stream.clone(), writer))).collect();
    let mut seen = BTreeSet::new();
    while seen.len() < WRITTEN {
        for text in texts(next(&mut output).await.unwrap().records()) {
            assert!(seen.insert(text), "twice");
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    local.stop().await;
}

#[tokio::test]
async fn a_stream_with_consumers_is_deleted_only_when_that_is_meant() {
    let local = clients::in_memory().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let consumer = consumer(&stream).await;
    let listed = stream.client.list_stream_consumers().stream_arn(stream.arn().await).send().await.unwrap();
    assert_eq!(listed.consumers()[0].consumer_arn(), consumer);
    let delete = stream.client.delete_stream().stream_name("orders").send().await;
    assert_eq!(clients::code(delete), "ResourceInUseException");
    stream.client.deregister_stream_consumer().consumer_arn(&consumer).send().await.unwrap();
    stream.client.delete_stream().stream_name("orders").send().await.unwrap();
    let gone = stream.client.describe_stream_consumer().consumer_arn(&consumer).send().await;
    assert_eq!(clients::code(gone), "ResourceNotFoundException");
    local.stop().await;
}
