//! ListShards.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    iterator::{LIFE, from_token, to_token},
    shard::{self, Shard},
    stream::Stream,
    wire::{Timestamp, set},
};

/// How many shards a page holds at most.
const MAX_RESULTS: usize = 10_000;
/// How many shards a page holds when nothing is said.
const PAGE: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    next_token: Option<String>,
    exclusive_start_shard_id: Option<String>,
    max_results: Option<usize>,
    shard_filter: Option<Filter>,
    stream_creation_timestamp: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    #[serde(rename = "Type")]
    kind: String,
    shard_id: Option<String>,
    timestamp: Option<Timestamp>,
}

/// Where a listing goes on.
#[derive(Debug, Serialize, Deserialize)]
struct Next {
    stream: i64,
    after: i64,
    filter: Option<Filter>,
    made: i64,
}

/// The shards of a stream that a reader may still need, a page at a time.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn list(tx: &Transaction<'_>, input: ListShards) -> Result<Value, Failure> {
    let limit = input.max_results.unwrap_or(PAGE);
    if !(1..=MAX_RESULTS).contains(&limit) {
        return Err(Failure::validation("maxResults", "Member must be between 1 and 10000"));
    }
    let (stream, filter, after) = begin(tx, &input)?;
    if stream.status(tx.now) == "CREATING" {
        return Err(Failure::in_use(format!("Stream {} is CREATING, not ACTIVE.", stream.name)));
    }
    if let Some(created) = input.stream_creation_timestamp
        && created.0 != stream.created
    {
        return Err(Failure::not_found("The stream was created at another time."));
    }
    let mut shards = Vec::new();
    for shard in Shard::all(tx, &stream)?.iter().filter(|shard| shard.number > after) {
        if filter.as_ref().map_or(Ok(true), |filter| passes(tx, &stream, filter, shard))? {
            shards.push((shard.number, shard.listed(&stream)));
        }
    }
    let more = shards.len() > limit;
    shards.truncate(limit);
    let last = shards.last().map(|(number, _)| *number);
    let shown: Vec<Value> = shards.into_iter().map(|(_, shown)| shown).collect();
    let mut output = json!({ "Shards": shown });
    if let (true, Some(after)) = (more, last) {
        set(
            &mut output,
            "NextToken",
            json!(to_token(&Next { stream: stream.id, after, filter, made: tx.now })),
        );
    }
    Ok(output)
}

/// The stream, the filter, and the shard behind which the page begins.
fn begin(tx: &Transaction<'_>, input: &ListShards) -> Result<(Stream, Option<Filter>, i64), Failure> {
    let Some(token) = &input.next_token else {
        let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
        let after = match &input.exclusive_start_shard_id {
            Some(id) => shard::number(id)
                .ok_or_else(|| Failure::validation("exclusiveStartShardId", "Member must be a shard id"))?,
            None => -1,
        };
        return Ok((stream, input.shard_filter.clone(), after));
    };
    if input.stream_name.is_some() || input.exclusive_start_shard_id.is_some() {
        return Err(Failure::argument("NextToken and StreamName cannot be provided together."));
    }
    let next: Next = from_token(token).ok_or_else(|| Failure::argument("Invalid NextToken."))?;
    if tx.now - next.made > LIFE {
        return Err(Failure::new("ExpiredNextTokenException", "The NextToken is older than five minutes."));
    }
    Ok((Stream::numbered(tx, next.stream)?, next.filter, next.after))
}

fn passes(tx: &Transaction<'_>, stream: &Stream, filter: &Filter, shard: &Shard) -> Result<bool, Failure> {
    let timestamp = || {
        let horizon = stream.horizon(tx.now);
        let missing = || Failure::argument(format!("Timestamp must be provided for {}.", filter.kind));
        filter.timestamp.map(|timestamp| timestamp.0.max(horizon)).ok_or_else(missing)
    };
    Ok(match filter.kind.as_str() {
        "AT_LATEST" => shard.closed.is_none(),
        "FROM_TRIM_HORIZON" => true,
        // Open at the oldest moment that is still kept.
        "AT_TRIM_HORIZON" => shard.created <= stream.horizon(tx.now).max(stream.created),
        "AT_TIMESTAMP" => {
            let at = timestamp()?.max(stream.created);
            shard.created <= at && shard.closed.is_none_or(|closed| closed > at)
        }
        "FROM_TIMESTAMP" => {
            let at = timestamp()?;
            shard.closed.is_none_or(|closed| closed >= at)
        }
        "AFTER_SHARD_ID" => {
            let id = filter.shard_id.as_deref().and_then(shard::number);
            shard.number
                > id.ok_or_else(|| Failure::argument("ShardId must be provided for AFTER_SHARD_ID."))?
        }
        kind => return Err(Failure::validation("shardFilter.type", &format!("{kind} is not a filter"))),
    })
}
