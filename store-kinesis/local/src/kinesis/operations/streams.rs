//! Streams: create, delete and list.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{describe::brief, retention::MIN_RETENTION, tags};
use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    hash,
    shard::Shard,
    stream::{ACCOUNT, Stream, arn},
    wire::set,
};

/// How many shards an on-demand stream begins with.
const ON_DEMAND_SHARDS: u32 = 4;
/// How many shards a stream may begin with; AWS's quota is higher and settable.
const MAX_SHARDS: u32 = 10_000;
/// How many streams a listing shows at once.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateStream {
    stream_name: String,
    shard_count: Option<i64>,
    stream_mode_details: Option<ModeDetails>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModeDetails {
    stream_mode: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteStream {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    enforce_consumer_deletion: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListStreams {
    limit: Option<usize>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

/// Makes a stream; it is CREATING for a while.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn create(tx: &Transaction<'_>, input: CreateStream) -> Result<Value, Failure> {
    let name = input.stream_name.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(1..=128).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(Failure::validation(
            "streamName",
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]{1,128}",
        ));
    }
    let mode = input.stream_mode_details.as_ref().map_or("PROVISIONED", |details| &details.stream_mode);
    let shards = match (mode, input.shard_count) {
        ("ON_DEMAND", None) => ON_DEMAND_SHARDS,
        ("PROVISIONED", Some(count)) => u32::try_from(count)
            .ok()
            .filter(|count| (1..=MAX_SHARDS).contains(count))
            .ok_or_else(|| Failure::validation("shardCount", "Member must be between 1 and 10000"))?,
        ("ON_DEMAND", Some(_)) => {
            return Err(Failure::argument("ShardCount must not be set for a stream in ON_DEMAND mode."));
        }
        ("PROVISIONED", None) => {
            return Err(Failure::argument("ShardCount must be set for a stream in PROVISIONED mode."));
        }
        _ => {
            return Err(Failure::validation(
                "streamMode",
                "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]",
            ));
        }
    };
    if Stream::named(tx, name)?.is_some() {
        return Err(Failure::in_use(format!("Stream {name} under account {ACCOUNT} already exists.")));
    }
    tx.connection.execute(
        "INSERT INTO streams (name, mode, created, retention_hours, changing, changing_until, next, next_shard) \
         VALUES (?1, ?2, ?3, ?4, 'CREATING', ?5, 1, 0)",
        params![name, mode, creation_time(tx)?, MIN_RETENTION, tx.now + tx.transition],
    )?;
    let mut stream = Stream::find(tx, Some(name), None)?;
    tags::put(tx, &stream, &input.tags)?;
    for range in hash::even_ranges(shards) {
        Shard::create(tx, &mut stream, range, (None, None))?;
    }
    Ok(json!({}))
}

/// Now, or later: no two streams have the same creation time, whatever the clock does. Readers tell by it that a stream
/// was deleted and made anew.
fn creation_time(tx: &Transaction<'_>) -> Result<i64, Failure> {
    let latest = "SELECT max(created) FROM (SELECT created FROM streams UNION ALL SELECT created FROM latest_creation)";
    let latest: Option<i64> = tx.connection.query_row(latest, [], |row| row.get(0))?;
    let created = latest.map_or(tx.now, |latest| tx.now.max(latest + 1));
    tx.connection
        .execute("INSERT OR REPLACE INTO latest_creation (id, created) VALUES (0, ?1)", [created])?;
    Ok(created)
}

/// Removes a stream and its records at once; AWS takes a while.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn delete(tx: &Transaction<'_>, input: DeleteStream) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let consumers: i64 =
        tx.connection
            .query_row("SELECT count(*) FROM consumers WHERE stream = ?1", [stream.id], |row| row.get(0))?;
    if consumers > 0 && input.enforce_consumer_deletion != Some(true) {
        return Err(Failure::in_use(format!(
            "Stream {} has consumers: deregister them, or set EnforceConsumerDeletion.",
            stream.name
        )));
    }
    for table in ["records", "shards", "consumers", "tags"] {
        tx.connection.execute(&format!("DELETE FROM {table} WHERE stream = ?1"), [stream.id])?;
    }
    tx.connection.execute("DELETE FROM streams WHERE id = ?1", [stream.id])?;
    tx.wake_readers();
    Ok(json!({}))
}

/// The streams, by name.
pub(crate) fn list(tx: &Transaction<'_>, input: ListStreams) -> Result<Value, Failure> {
    let after = input.next_token.or(input.exclusive_start_stream_name).unwrap_or_default();
    let limit = input.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let mut select =
        tx.connection.prepare_cached("SELECT name FROM streams WHERE name > ?1 ORDER BY name")?;
    let rows = select.query_map([&after], |row| row.get::<_, String>(0))?;
    let mut names = rows.take(limit + 1).collect::<Result<Vec<String>, _>>()?;
    let more = names.len() > limit;
    names.truncate(limit);
    let mut summaries = Vec::with_capacity(names.len());
    for name in &names {
        summaries.push(brief(tx, &Stream::find(tx, None, Some(&arn(name)))?));
    }
    let mut output = json!({ "StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries });
    if let (true, Some(last)) = (more, names.last()) {
        set(&mut output, "NextToken", json!(last));
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{database::at, schema};

    #[test]
    fn a_stream_made_anew_is_younger_even_when_the_clock_stands_still_or_goes_back() {
        let connection = schema::open(None).unwrap();
        let mut created = Vec::new();
        for now in [5000, 5000, 4000, 9000] {
            created.push(at(&connection, now, |tx| {
                create(
                    tx,
                    serde_json::from_value(json!({ "StreamName": "orders", "ShardCount": 1 })).unwrap(),
                )?;
                let created = Stream::find(tx, Some("orders"), None)?.created;
                delete(tx, serde_json::from_value(json!({ "StreamName": "orders" })).unwrap())?;
                Ok(created)
            }));
        }
        assert_eq!(created, [5000, 5001, 5002, 9000]);
    }
}
