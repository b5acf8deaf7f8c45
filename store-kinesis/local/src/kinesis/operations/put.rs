//! PutRecord and PutRecords.

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction, failure::Failure, hash, sequence, shard::Shard, stream::Stream, wire::Blob,
};

/// How many records a request may hold.
const MAX_RECORDS: usize = 500;
/// How many bytes the records of a request may hold, keys included.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// How many bytes a record may hold, key included.
const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// How many characters a partition key may have.
const MAX_KEY: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    data: Blob,
    partition_key: String,
    explicit_hash_key: Option<String>,
    sequence_number_for_ordering: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PutRecords {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: Blob,
    partition_key: String,
    explicit_hash_key: Option<String>,
}

/// Where a record went.
struct Place {
    shard_id: String,
    sequence_number: String,
}

/// Stores one record. All numbers of a stream rise, so an order that is asked for is kept anyway.
pub(crate) fn put_record(tx: &Transaction<'_>, input: PutRecord) -> Result<Value, Failure> {
    if let Some(number) = &input.sequence_number_for_ordering
        && (number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(Failure::validation("sequenceNumberForOrdering", "Member must be a sequence number"));
    }
    let entry = Entry {
        data: input.data,
        partition_key: input.partition_key,
        explicit_hash_key: input.explicit_hash_key,
    };
    let places = put(tx, input.stream_name.as_deref(), input.stream_arn.as_deref(), &[entry])?;
    let place = places.into_iter().next().ok_or_else(|| Failure::internal("the record has no place"))??;
    Ok(json!({ "ShardId": place.shard_id, "SequenceNumber": place.sequence_number }))
}

/// Stores all records, in order, but those that are above the limits of their shards.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn put_records(tx: &Transaction<'_>, input: PutRecords) -> Result<Value, Failure> {
    if input.records.is_empty() {
        return Err(Failure::validation("records", "Member must have length greater than or equal to 1"));
    }
    if input.records.len() > MAX_RECORDS {
        return Err(Failure::validation("records", "Member must have length less than or equal to 500"));
    }
    let places = put(tx, input.stream_name.as_deref(), input.stream_arn.as_deref(), &input.records)?;
    let failed = places.iter().filter(|place| place.is_err()).count();
    let records: Vec<Value> = places.iter().map(shown).collect();
    Ok(json!({ "FailedRecordCount": failed, "Records": records }))
}

fn shown(place: &Result<Place, Failure>) -> Value {
    match place {
        Ok(place) => json!({ "ShardId": place.shard_id, "SequenceNumber": place.sequence_number }),
        Err(failure) => json!({ "ErrorCode": failure.code(), "ErrorMessage": failure.message() }),
    }
}

fn put(
    tx: &Transaction<'_>,
    name: Option<&str>,
    arn: Option<&str>,
    entries: &[Entry],
) -> Result<Vec<Result<Place, Failure>>, Failure> {
    let hashes = entries.iter().map(check).collect::<Result<Vec<u128>, Failure>>()?;
    if entries.iter().map(Entry::bytes).sum::<usize>() > MAX_BYTES {
        return Err(Failure::argument("Records size exceeds 10 MB limit"));
    }
    let mut stream = Stream::find(tx, name, arn)?;
    if stream.status(tx.now) == "CREATING" {
        return Err(Failure::not_found(format!("Stream {} is not ACTIVE yet.", stream.name)));
    }
    let shards = Shard::open(tx, &stream)?;
    let how_many = i64::try_from(entries.len()).map_err(Failure::internal)?;
    let first = stream.take_counts(tx, how_many)?;
    let mut insert = tx.connection.prepare_cached(
        "INSERT INTO records (stream, shard, sequence, arrived, partition_key, data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut places = Vec::with_capacity(entries.len());
    for ((entry, hash), count) in entries.iter().zip(hashes).zip(first..) {
        // Open shards are in the order of their hash keys and cover all of them.
        let at = shards.partition_point(|shard| shard.last_hash < hash);
        let shard = shards.get(at).filter(|shard| shard.holds(hash));
        let shard = shard.ok_or_else(|| Failure::internal("no open shard holds the hash key"))?;
        if let Err(refused) = tx.throttle.write(&stream, shard.number, tx.now, entry.bytes()) {
            places.push(Err(refused));
            continue;
        }
        insert.execute(params![stream.id, shard.number, count, tx.now, entry.partition_key, entry.data.0])?;
        places.push(Ok(Place {
            shard_id: shard.id(),
            sequence_number: sequence::to_text(&stream, shard.number, count),
        }));
    }
    tx.wake_readers();
    Ok(places)
}

impl Entry {
    fn bytes(&self) -> usize {
        self.data.0.len() + self.partition_key.len()
    }
}

/// Refuses what AWS refuses before it looks at the stream; says the record's hash key.
fn check(entry: &Entry) -> Result<u128, Failure> {
    if !(1..=MAX_KEY).contains(&entry.partition_key.chars().count()) {
        return Err(Failure::validation("partitionKey", "Member must have length between 1 and 256"));
    }
    if entry.bytes() > MAX_RECORD_BYTES {
        return Err(Failure::validation(
            "data",
            "Member must have length less than or equal to 1048576, the partition key included",
        ));
    }
    match &entry.explicit_hash_key {
        None => Ok(hash::of_partition_key(&entry.partition_key)),
        Some(text) => hash::parse(text).ok_or_else(|| {
            Failure::argument(format!("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"))
        }),
    }
}
