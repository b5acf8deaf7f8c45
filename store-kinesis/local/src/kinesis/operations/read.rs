//! GetShardIterator and GetRecords.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    iterator::ShardIterator,
    sequence,
    shard::{self, Shard},
    stream::Stream,
    wire::{Blob, Timestamp},
};

/// How many records an answer holds at most.
const MAX_RECORDS: usize = 10_000;
/// How many bytes an answer holds at most, keys included.
const MAX_BYTES: usize = 10 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
}

/// Where reading begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Position {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) sequence_number: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
}

/// A record as readers see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Record {
    sequence_number: String,
    approximate_arrival_timestamp: Timestamp,
    data: Blob,
    partition_key: String,
}

/// The answer to [`GetRecords`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Records {
    records: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_shard_iterator: Option<String>,
    millis_behind_latest: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_shards: Vec<Value>,
}

/// What stands behind a count of a shard.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) stream: Stream,
    pub(crate) records: Vec<Record>,
    /// Reading goes on behind this count.
    pub(crate) after: i64,
    /// How far behind the tip that is, in milliseconds.
    pub(crate) behind: i64,
    /// The children, when the shard is closed and has been read to its end.
    pub(crate) ended: Option<Vec<Value>>,
}

/// Finds where reading begins.
pub(crate) fn get_shard_iterator(tx: &Transaction<'_>, input: GetShardIterator) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let shard = Shard::find(tx, &stream, &input.shard_id)?;
    let position = Position {
        kind: input.shard_iterator_type,
        sequence_number: input.starting_sequence_number,
        timestamp: input.timestamp,
    };
    let after = locate(tx, &stream, &shard, &position)?;
    let iterator = ShardIterator { stream: stream.id, shard: shard.number, after, made: tx.now };
    Ok(json!({ "ShardIterator": iterator.to_text() }))
}

/// Reads behind an iterator.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn get_records(tx: &Transaction<'_>, input: GetRecords) -> Result<Records, Failure> {
    let iterator = ShardIterator::from_text(&input.shard_iterator, tx.now)?;
    let limit = input.limit.unwrap_or(MAX_RECORDS);
    if !(1..=MAX_RECORDS).contains(&limit) {
        return Err(Failure::validation("limit", "Member must be between 1 and 10000"));
    }
    let stream = Stream::numbered(tx, iterator.stream)?;
    tx.throttle.read(&stream, iterator.shard, tx.now)?;
    let page = page(tx, iterator.stream, iterator.shard, iterator.after, limit, MAX_BYTES)?;
    let next = ShardIterator { after: page.after, made: tx.now, ..iterator };
    Ok(Records {
        records: page.records,
        next_shard_iterator: page.ended.is_none().then(|| next.to_text()),
        millis_behind_latest: page.behind,
        child_shards: page.ended.unwrap_or_default(),
    })
}

/// The count behind which reading from a position begins.
pub(crate) fn locate(
    tx: &Transaction<'_>,
    stream: &Stream,
    shard: &Shard,
    position: &Position,
) -> Result<i64, Failure> {
    let number = || {
        let text = position.sequence_number.as_deref().ok_or_else(|| {
            Failure::argument(format!("A sequence number must be provided for {}.", position.kind))
        })?;
        let count = sequence::from_text(stream, shard.number, text);
        count.ok_or_else(|| {
            Failure::argument(format!(
                "The sequence number {text} is invalid because it did not come from shard {} of stream {}.",
                shard.id(),
                stream.name
            ))
        })
    };
    match position.kind.as_str() {
        "TRIM_HORIZON" => Ok(shard.first),
        "LATEST" => Ok(shard.last.unwrap_or(stream.next - 1)),
        "AFTER_SEQUENCE_NUMBER" => number(),
        "AT_SEQUENCE_NUMBER" => Ok(number()? - 1),
        "AT_TIMESTAMP" => {
            let missing = || Failure::argument("Timestamp must be provided for AT_TIMESTAMP.");
            let timestamp = position.timestamp.ok_or_else(missing)?.0;
            if timestamp > tx.now {
                return Err(Failure::argument("The timestamp must not be later than the current time."));
            }
            let mut select = tx.connection.prepare_cached(
                "SELECT sequence FROM records WHERE stream = ?1 AND shard = ?2 AND arrived >= ?3 \
                 ORDER BY sequence LIMIT 1",
            )?;
            let first: Option<i64> =
                select.query_row(params![stream.id, shard.number, timestamp], |row| row.get(0)).optional()?;
            Ok(first.map_or(shard.last.unwrap_or(stream.next) - 1, |first| first - 1))
        }
        _ => Err(Failure::validation(
            "shardIteratorType",
            "Member must satisfy enum value set: [AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, \
             AT_TIMESTAMP]",
        )),
    }
}

/// Reads a page behind a count.
pub(crate) fn page(
    tx: &Transaction<'_>,
    stream: i64,
    shard: i64,
    after: i64,
    limit: usize,
    max_bytes: usize,
) -> Result<Page, Failure> {
    let stream = Stream::numbered(tx, stream)?;
    let shard = Shard::find(tx, &stream, &shard::name(shard))?;
    let mut select = tx.connection.prepare_cached(
        "SELECT sequence, arrived, partition_key, data FROM records \
         WHERE stream = ?1 AND shard = ?2 AND sequence > ?3 AND arrived >= ?4 ORDER BY sequence",
    )?;
    let mut rows = select.query(params![stream.id, shard.number, after, stream.horizon(tx.now)])?;
    let (mut records, mut bytes, mut read, mut unread) = (Vec::new(), 0, None, None);
    while let Some(row) = rows.next()? {
        let (count, arrived): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (partition_key, data): (String, Vec<u8>) = (row.get(2)?, row.get(3)?);
        bytes += data.len() + partition_key.len();
        if records.len() == limit || bytes > max_bytes {
            unread = Some(arrived);
            break;
        }
        read = Some(count);
        records.push(Record {
            sequence_number: sequence::to_text(&stream, shard.number, count),
            approximate_arrival_timestamp: Timestamp(arrived),
            data: Blob(data),
            partition_key,
        });
    }
    let ended =
        if shard.last.is_some() && unread.is_none() { Some(shard.children(tx, &stream)?) } else { None };
    let behind = unread.map_or(0, |arrived| (tx.now - arrived).max(1));
    Ok(Page { records, after: read.unwrap_or(after), behind, ended, stream })
}
