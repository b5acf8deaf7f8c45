//! What a stream is: DescribeStreamSummary, and DescribeStream with its shards.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    shard::{self, Shard},
    stream::Stream,
    wire::{Timestamp, set},
};

/// How many shards DescribeStream shows when nothing is said.
const PAGE: usize = 100;
/// How many it shows at most.
const MAX_PAGE: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeStreamSummary {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeStream {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    limit: Option<usize>,
    exclusive_start_shard_id: Option<String>,
}

/// What a stream is, without its shards.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn summary(tx: &Transaction<'_>, input: DescribeStreamSummary) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let count = "SELECT count(*) FROM consumers WHERE stream = ?1";
    let consumers: i64 = tx.connection.query_row(count, [stream.id], |row| row.get(0))?;
    let mut summary = detailed(tx, &stream);
    set(&mut summary, "OpenShardCount", json!(Shard::open(tx, &stream)?.len()));
    set(&mut summary, "ConsumerCount", json!(consumers));
    set(&mut summary, "MaxRecordSizeInKiB", json!(1024));
    Ok(json!({ "StreamDescriptionSummary": summary }))
}

/// What a stream is, with a page of its shards; none while it is CREATING.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn describe(tx: &Transaction<'_>, input: DescribeStream) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let limit = input.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Failure::validation("limit", "Member must be between 1 and 10000"));
    }
    let after = match &input.exclusive_start_shard_id {
        Some(id) => shard::number(id)
            .ok_or_else(|| Failure::validation("exclusiveStartShardId", "Member must be a shard id"))?,
        None => -1,
    };
    let mut shards = if stream.status(tx.now) == "CREATING" { Vec::new() } else { Shard::all(tx, &stream)? };
    shards.retain(|shard| shard.number > after);
    let shown: Vec<Value> = shards.iter().take(limit).map(|shard| shard.listed(&stream)).collect();
    let mut description = detailed(tx, &stream);
    set(&mut description, "HasMoreShards", json!(shards.len() > limit));
    set(&mut description, "Shards", json!(shown));
    Ok(json!({ "StreamDescription": description }))
}

/// What every operation shows that shows a stream.
pub(crate) fn brief(tx: &Transaction<'_>, stream: &Stream) -> Value {
    json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn(),
        "StreamStatus": stream.status(tx.now),
        "StreamModeDetails": { "StreamMode": stream.mode },
        "StreamCreationTimestamp": Timestamp(stream.created),
    })
}

/// What both descriptions show.
fn detailed(tx: &Transaction<'_>, stream: &Stream) -> Value {
    let mut shown = brief(tx, stream);
    set(&mut shown, "RetentionPeriodHours", json!(stream.retention_hours));
    set(&mut shown, "EncryptionType", json!("NONE"));
    set(&mut shown, "EnhancedMonitoring", json!([{ "ShardLevelMetrics": [] }]));
    shown
}
