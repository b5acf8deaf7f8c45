//! Opening an iterator at a place, and being sure that it is the place that was meant.

use std::time::Duration;

use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::operation::get_shard_iterator::builders::GetShardIteratorFluentBuilder;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::ShardIteratorType;
use headwater::Timestamp;
use headwater::store::{Position, StoreError};
use headwater_aws::failure;

use super::incarnation::Stream;
use super::limits;
use super::place::Place;

/// Opens an iterator at the oldest record there is, or at the record of a position. At it and not behind it: whether it
/// is still there shows that nothing behind it is lost.
pub(super) async fn open(
    stream: &Stream,
    place: &Place,
    position: Option<&Position>,
) -> Result<String, StoreError> {
    let kind = position.map_or(ShardIteratorType::TrimHorizon, |_| ShardIteratorType::AtSequenceNumber);
    let sequence = position.map(ToString::to_string);
    begin(stream, place, position, |request| {
        request.shard_iterator_type(kind).set_starting_sequence_number(sequence)
    })
    .await
}

/// Opens an iterator at the first record that arrived at a time or later. Kinesis knows no time to come.
pub(super) async fn open_at(stream: &Stream, place: &Place, since: Timestamp) -> Result<String, StoreError> {
    let since = DateTime::from_millis(since.min(Timestamp::now()).as_millisecond());
    begin(stream, place, None, |request| {
        request.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(since)
    })
    .await
}

async fn begin(
    stream: &Stream,
    place: &Place,
    position: Option<&Position>,
    at: impl FnOnce(GetShardIteratorFluentBuilder) -> GetShardIteratorFluentBuilder,
) -> Result<String, StoreError> {
    same(stream, place, limits::INCARNATION_AGE).await?;
    let request = stream.client.get_shard_iterator().stream_name(&stream.name).shard_id(&*place.shard);
    match at(request).send().await {
        Ok(answer) => answer
            .shard_iterator
            .ok_or_else(|| stream.unusable("Kinesis answers without the iterator asked for")),
        Err(error) => {
            let code = error.code().unwrap_or_default().to_owned();
            let message = error.message().unwrap_or("no reason given").to_owned();
            let attempted = format!("begin to read partition {}", place.partition);
            let other = failure(error, attempted, &stream.resource()).into();
            Err(refusal(stream, place, position, &code, &message).await?.unwrap_or(other))
        }
    }
}

/// What a refusal to begin at a place says about the place, if anything.
pub(super) async fn refusal(
    stream: &Stream,
    place: &Place,
    position: Option<&Position>,
    code: &str,
    message: &str,
) -> Result<Option<StoreError>, StoreError> {
    let about_the_shard = code == "ResourceNotFoundException";
    let about_the_position = matches!(code, "InvalidArgumentException" | "ValidationException");
    if !about_the_shard && !about_the_position {
        return Ok(None);
    }
    // It may be another stream by now, or none, and then the refusal is about that.
    same(stream, place, Duration::ZERO).await?;
    Ok(Some(if about_the_shard { place.unknown(&stream.name) } else { place.foreign(position, message) }))
}

/// Refuses a place of a stream that was deleted and made anew.
pub(super) async fn same(stream: &Stream, place: &Place, age: Duration) -> Result<(), StoreError> {
    let incarnation = stream.incarnation(age).await?;
    if incarnation.created == place.created {
        return Ok(());
    }
    Err(place.remade(&stream.name, incarnation.created))
}
