//! SplitShard and MergeShards.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{database::Transaction, failure::Failure, hash, shard::Shard, stream::Stream};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SplitShard {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_to_split: String,
    new_starting_hash_key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MergeShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_to_merge: String,
    adjacent_shard_to_merge: String,
}

/// Closes a shard and opens two, for the hash keys below and from the one named.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn split_shard(tx: &Transaction<'_>, input: SplitShard) -> Result<Value, Failure> {
    let mut stream = provisioned(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let shard = Shard::find(tx, &stream, &input.shard_to_split)?;
    must_be_open(&shard, &stream)?;
    let middle = hash::parse(&input.new_starting_hash_key)
        .filter(|middle| shard.first_hash < *middle && *middle < shard.last_hash);
    let middle = middle.ok_or_else(|| {
        Failure::argument(format!(
            "NewStartingHashKey {} must be within the hash keys of {}, and neither the first nor the last.",
            input.new_starting_hash_key,
            shard.id()
        ))
    })?;
    split(tx, &mut stream, &shard, middle)?;
    finish(tx, &stream)
}

/// Closes two neighbours and opens one for the hash keys of both.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn merge_shards(tx: &Transaction<'_>, input: MergeShards) -> Result<Value, Failure> {
    let mut stream = provisioned(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let shard = Shard::find(tx, &stream, &input.shard_to_merge)?;
    let adjacent = Shard::find(tx, &stream, &input.adjacent_shard_to_merge)?;
    must_be_open(&shard, &stream)?;
    must_be_open(&adjacent, &stream)?;
    let neighbours = |low: &Shard, high: &Shard| low.last_hash.checked_add(1) == Some(high.first_hash);
    if !neighbours(&shard, &adjacent) && !neighbours(&adjacent, &shard) {
        return Err(Failure::argument(format!(
            "Shards {} and {} in stream {} are not adjacent.",
            shard.id(),
            adjacent.id(),
            stream.name
        )));
    }
    merge(tx, &mut stream, &shard, &adjacent)?;
    finish(tx, &stream)
}

/// The stream, if its shards may be changed by hand and it is not changing already.
pub(crate) fn provisioned(
    tx: &Transaction<'_>,
    name: Option<&str>,
    arn: Option<&str>,
) -> Result<Stream, Failure> {
    let stream = Stream::find(tx, name, arn)?;
    stream.must_be_active(tx.now)?;
    if stream.mode != "PROVISIONED" {
        return Err(Failure::new(
            "ValidationException",
            format!("The shards of {} cannot be changed: it is in {} mode.", stream.name, stream.mode),
        ));
    }
    Ok(stream)
}

/// The stream is UPDATING for a while, and readers look again.
pub(crate) fn finish(tx: &Transaction<'_>, stream: &Stream) -> Result<Value, Failure> {
    stream.begin_update(tx)?;
    tx.wake_readers();
    Ok(json!({}))
}

/// Splits without asking.
pub(crate) fn split(
    tx: &Transaction<'_>,
    stream: &mut Stream,
    shard: &Shard,
    middle: u128,
) -> Result<(), Failure> {
    shard.close(tx, stream)?;
    let parents = (Some(shard.number), None);
    Shard::create(tx, stream, (shard.first_hash, middle - 1), parents)?;
    Shard::create(tx, stream, (middle, shard.last_hash), parents)?;
    Ok(())
}

/// Merges without asking.
pub(crate) fn merge(
    tx: &Transaction<'_>,
    stream: &mut Stream,
    shard: &Shard,
    adjacent: &Shard,
) -> Result<(), Failure> {
    shard.close(tx, stream)?;
    adjacent.close(tx, stream)?;
    let range = (shard.first_hash.min(adjacent.first_hash), shard.last_hash.max(adjacent.last_hash));
    Shard::create(tx, stream, range, (Some(shard.number), Some(adjacent.number)))?;
    Ok(())
}

fn must_be_open(shard: &Shard, stream: &Stream) -> Result<(), Failure> {
    if shard.closed.is_none() {
        return Ok(());
    }
    Err(Failure::argument(format!("Shard {} in stream {} is closed already.", shard.id(), stream.name)))
}
