//! How long streams keep their records.

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{database::Transaction, failure::Failure, stream::Stream};

/// How many hours a stream keeps its records at first, and at least.
pub(crate) const MIN_RETENTION: i64 = 24;
/// How many hours it may keep them: a year.
const MAX_RETENTION: i64 = 8760;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeRetention {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    retention_period_hours: i64,
}

/// Keeps records longer.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn increase(tx: &Transaction<'_>, input: ChangeRetention) -> Result<Value, Failure> {
    change_retention(tx, &input, |now, wanted| wanted >= now)
}

/// Keeps records less long.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn decrease(tx: &Transaction<'_>, input: ChangeRetention) -> Result<Value, Failure> {
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
        operations::{listing, put, read, reshard, streams},
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
    fn a_longer_retention_shows_records_for_longer_and_a_shorter_one_hides_them() {
        let connection = schema::open(None).unwrap();
        at(&connection, HOUR, |tx| {
            streams::create(tx, input(json!({ "StreamName": "orders", "ShardCount": 1 })))?;
            let record = json!({ "StreamName": "orders", "Data": "eA==", "PartitionKey": "a" });
            put::put_record(tx, input(record))
        });
        let hours = |hours: i64| input(json!({ "StreamName": "orders", "RetentionPeriodHours": hours }));
        at(&connection, 2 * HOUR, |tx| increase(tx, hours(48)));
        assert_eq!([26, 49, 50].map(|hour| read_all(&connection, hour)), [1, 1, 0]);
        at(&connection, 26 * HOUR, |tx| decrease(tx, hours(24)));
        assert_eq!(read_all(&connection, 26), 0);
    }

    #[test]
    fn records_and_closed_shards_go_when_the_retention_is_over() {
        let connection = schema::open(None).unwrap();
        at(&connection, HOUR, |tx| {
            streams::create(tx, input(json!({ "StreamName": "orders", "ShardCount": 1 })))?;
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
