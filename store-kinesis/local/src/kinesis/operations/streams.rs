//! Streams: create, delete, describe, list, and how long they keep their records.

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    hash,
    shard::Shard,
    stream::{ACCOUNT, Stream, arn},
    wire::{Timestamp, set},
};

/// How many shards an on-demand stream begins with.
const ON_DEMAND_SHARDS: u32 = 4;
/// How many shards a stream may begin with; AWS's quota is higher and settable.
const MAX_SHARDS: u32 = 10_000;
/// How many hours a stream keeps its records at first, and at least.
const MIN_RETENTION: i64 = 24;
/// How many hours it may keep them: a year.
const MAX_RETENTION: i64 = 8760;
/// How many streams a listing shows at once.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateStream {
    stream_name: String,
    shard_count: Option<i64>,
    stream_mode_details: Option<ModeDetails>,
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
pub(crate) struct DescribeStreamSummary {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListStreams {
    limit: Option<usize>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeRetention {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    retention_period_hours: i64,
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
        params![name, mode, tx.now, MIN_RETENTION, tx.now + tx.transition],
    )?;
    let mut stream = Stream::find(tx, Some(name), None)?;
    for range in hash::even_ranges(shards) {
        Shard::create(tx, &mut stream, range, (None, None))?;
    }
    Ok(json!({}))
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
    for table in ["records", "shards", "consumers"] {
        tx.connection.execute(&format!("DELETE FROM {table} WHERE stream = ?1"), [stream.id])?;
    }
    tx.connection.execute("DELETE FROM streams WHERE id = ?1", [stream.id])?;
    tx.wake_readers();
    Ok(json!({}))
}

/// What a stream is.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn describe(tx: &Transaction<'_>, input: DescribeStreamSummary) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let consumers: i64 =
        tx.connection
            .query_row("SELECT count(*) FROM consumers WHERE stream = ?1", [stream.id], |row| row.get(0))?;
    let mut summary = summary(tx, &stream);
    set(&mut summary, "RetentionPeriodHours", json!(stream.retention_hours));
    set(&mut summary, "OpenShardCount", json!(Shard::open(tx, &stream)?.len()));
    set(&mut summary, "ConsumerCount", json!(consumers));
    set(&mut summary, "EncryptionType", json!("NONE"));
    set(&mut summary, "EnhancedMonitoring", json!([{ "ShardLevelMetrics": [] }]));
    set(&mut summary, "MaxRecordSizeInKiB", json!(1024));
    Ok(json!({ "StreamDescriptionSummary": summary }))
}

fn summary(tx: &Transaction<'_>, stream: &Stream) -> Value {
    json!({
        "StreamName": stream.name,
        "StreamARN": stream.arn(),
        "StreamStatus": stream.status(tx.now),
        "StreamModeDetails": { "StreamMode": stream.mode },
        "StreamCreationTimestamp": Timestamp(stream.created),
    })
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
        summaries.push(summary(tx, &Stream::find(tx, None, Some(&arn(name)))?));
    }
    let mut output = json!({ "StreamNames": names, "HasMoreStreams": more, "StreamSummaries": summaries });
    if let (true, Some(last)) = (more, names.last()) {
        set(&mut output, "NextToken", json!(last));
    }
    Ok(output)
}

/// Keeps records longer.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn increase_retention(tx: &Transaction<'_>, input: ChangeRetention) -> Result<Value, Failure> {
    change_retention(tx, &input, |now, wanted| wanted >= now)
}

/// Keeps records less long.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn decrease_retention(tx: &Transaction<'_>, input: ChangeRetention) -> Result<Value, Failure> {
    change_retention(tx, &input, |now, wanted| wanted <= now)
}

fn change_retention(
    tx: &Transaction<'_>,
    input: &ChangeRetention,
    allowed: fn(i64, i64) -> bool,
) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    stream.must_be_active(tx.now)?;
    let wanted = input.retention_period_hours;
    if !(MIN_RETENTION..=MAX_RETENTION).contains(&wanted) || !allowed(stream.retention_hours, wanted) {
        return Err(Failure::argument(format!(
            "Retention period {wanted} hours is not possible: it is {} hours now, between {MIN_RETENTION} and \
             {MAX_RETENTION} are allowed, and the operation must go in its own direction.",
            stream.retention_hours
        )));
    }
    tx.connection
        .execute("UPDATE streams SET retention_hours = ?2 WHERE id = ?1", params![stream.id, wanted])?;
    stream.begin_update(tx)?;
    Ok(json!({}))
}

/// Deletes records and shards beyond the retention of their streams.
pub(crate) fn sweep(tx: &Transaction<'_>) -> Result<(), Failure> {
    let horizon = "(SELECT ?1 - retention_hours * 3600000 FROM streams WHERE id = stream)";
    tx.connection.execute(&format!("DELETE FROM records WHERE arrived < {horizon}"), [tx.now])?;
    tx.connection.execute(&format!("DELETE FROM shards WHERE closed < {horizon}"), [tx.now])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::kinesis::{
        database::at,
        operations::{listing, put, read, reshard},
        schema,
    };

    const HOUR: i64 = 3_600_000;

    fn input<T: DeserializeOwned>(input: Value) -> T {
        serde_json::from_value(input).unwrap()
    }

    fn stored(connection: &Connection, table: &str) -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    fn read_all(connection: &Connection, hour: i64) -> usize {
        at(connection, hour * HOUR, |tx| {
            let stream = Stream::find(tx, Some("orders"), None)?;
            Ok(read::page(tx, stream.id, 0, 0, 10, 1000)?.records.len())
        })
    }

    fn listed(connection: &Connection, hour: i64) -> usize {
        let shards =
            at(connection, hour * HOUR, |tx| listing::list(tx, input(json!({ "StreamName": "orders" }))));
        shards["Shards"].as_array().unwrap().len()
    }

    #[test]
    fn records_and_closed_shards_go_when_the_retention_is_over() {
        let connection = schema::open(None).unwrap();
        at(&connection, HOUR, |tx| {
            create(tx, input(json!({ "StreamName": "orders", "ShardCount": 1 })))?;
            let record = json!({ "StreamName": "orders", "Data": "eA==", "PartitionKey": "a" });
            put::put_record(tx, input(record))
        });
        at(&connection, 2 * HOUR, |tx| {
            let record = json!({ "StreamName": "orders", "Data": "eQ==", "PartitionKey": "a" });
            put::put_record(tx, input(record))?;
            let split = json!({
                "StreamName": "orders",
                "ShardToSplit": "shardId-000000000000",
                "NewStartingHashKey": "1000",
            });
            reshard::split_shard(tx, input(split))
        });
        assert_eq!([25, 26].map(|hour| read_all(&connection, hour)), [2, 1]);
        assert_eq!([26, 27].map(|hour| listed(&connection, hour)), [3, 2]);
        at(&connection, 26 * HOUR, sweep);
        assert_eq!((stored(&connection, "records"), stored(&connection, "shards")), (1, 3));
        at(&connection, 27 * HOUR, sweep);
        assert_eq!((stored(&connection, "records"), stored(&connection, "shards")), (0, 2));
    }
}
