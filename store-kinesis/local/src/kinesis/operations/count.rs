//! UpdateShardCount: splits and merges until all open shards are equally wide.

use serde::Deserialize;
use serde_json::{Value, json};

use super::reshard::{finish, merge, provisioned, split};
use crate::kinesis::{database::Transaction, failure::Failure, hash, shard::Shard, stream::Stream};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateShardCount {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    target_shard_count: u32,
    scaling_type: String,
}

/// Brings a stream to so many shards, at most twice and at least half of what it has.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn update(tx: &Transaction<'_>, input: UpdateShardCount) -> Result<Value, Failure> {
    let mut stream = provisioned(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    if input.scaling_type != "UNIFORM_SCALING" {
        return Err(Failure::validation(
            "scalingType",
            "Member must satisfy enum value set: [UNIFORM_SCALING]",
        ));
    }
    let target = input.target_shard_count;
    let before = u32::try_from(Shard::open(tx, &stream)?.len()).map_err(Failure::internal)?;
    if target < before.div_ceil(2).max(1) || target > before.saturating_mul(2) {
        return Err(Failure::argument(format!(
            "TargetShardCount {target} is not possible: stream {} has {before} open shards, and may go to twice or \
             half of that.",
            stream.name
        )));
    }
    let wanted: Vec<u128> = hash::even_ranges(target).into_iter().map(|(first, _)| first).collect();
    for boundary in &wanted {
        split_at(tx, &mut stream, *boundary)?;
    }
    merge_between(tx, &mut stream, &wanted)?;
    finish(tx, &stream)?;
    Ok(json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn(),
        "CurrentShardCount": before,
        "TargetShardCount": target,
    }))
}

/// Makes an open shard begin at this hash key.
fn split_at(tx: &Transaction<'_>, stream: &mut Stream, boundary: u128) -> Result<(), Failure> {
    let open = Shard::open(tx, stream)?;
    match open.iter().find(|shard| shard.holds(boundary) && shard.first_hash != boundary) {
        Some(shard) => split(tx, stream, shard, boundary),
        None => Ok(()),
    }
}

/// Merges shards until they begin nowhere else.
fn merge_between(tx: &Transaction<'_>, stream: &mut Stream, wanted: &[u128]) -> Result<(), Failure> {
    loop {
        let open = Shard::open(tx, stream)?;
        let pair = open.windows(2).find_map(|pair| match pair {
            [low, high] if wanted.binary_search(&high.first_hash).is_err() => Some((low, high)),
            _ => None,
        });
        match pair {
            Some((low, high)) => merge(tx, stream, low, high)?,
            None => return Ok(()),
        }
    }
}
