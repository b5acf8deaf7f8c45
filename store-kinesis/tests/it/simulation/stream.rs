//! The simulated stream of the feed: records in shards, in whatever order a request happens to be carried out.

use std::collections::{BTreeMap, BTreeSet};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use headwater::{StreamName, Version};
use headwater_proof::simulation::Random;
use headwater_store_kinesis::record::{self, Record};
use serde_json::{Value, json};

/// Shards of the stream.
const SHARDS: u64 = 3;

#[derive(Debug, Default)]
pub(crate) struct Stream {
    shards: BTreeMap<String, Vec<Record>>,
    sequence: u64,
    /// What is on the feed.
    pub(crate) seen: BTreeSet<(StreamName, Version)>,
}

/// A record of a request.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) record: Record,
}

/// The records of a request.
pub(crate) fn entries(body: &Value) -> Result<Vec<Entry>, String> {
    let records = body.get("Records").and_then(Value::as_array).ok_or("a PutRecords has records")?;
    let entry = |entry: &Value| {
        let data = entry.get("Data").and_then(Value::as_str).ok_or("a record has data")?;
        let data = BASE64_STANDARD.decode(data).map_err(|error| error.to_string())?;
        let record = record::decode(&data).map_err(|error| error.to_string())?;
        let key = entry.get("PartitionKey").and_then(Value::as_str).ok_or("a record has a key")?;
        Ok(Entry { key: key.to_owned(), record })
    };
    records.iter().map(entry).collect()
}

impl Stream {
    /// Takes records, or not: one of so many is throttled and one fails, in an answer that is a success. They are carried
    /// out in any order. Gives the answer, and what was taken.
    pub(crate) fn put(
        &mut self,
        entries: Vec<Entry>,
        random: &mut Random,
        rarity: u64,
    ) -> (Value, Vec<Record>) {
        let mut answers = vec![Value::Null; entries.len()];
        let mut left: Vec<(usize, Entry)> = entries.into_iter().enumerate().collect();
        let (mut taken, mut refused) = (Vec::new(), 0);
        while !left.is_empty() {
            let (place, entry) = left.swap_remove(random.index(left.len()));
            let code = match () {
                () if random.one_in(rarity) => "ProvisionedThroughputExceededException",
                () if random.one_in(rarity) => "InternalFailure",
                () => {
                    answers[place] = self.push(&entry);
                    taken.push(entry.record);
                    continue;
                }
            };
            refused += 1;
            answers[place] = json!({ "ErrorCode": code, "ErrorMessage": "not now" });
        }
        (json!({ "FailedRecordCount": refused, "Records": answers }), taken)
    }

    fn push(&mut self, entry: &Entry) -> Value {
        let hash = entry.key.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
        let shard = format!("shardId-{:012}", hash % SHARDS);
        self.sequence += 1;
        let commit = &entry.record.commit;
        self.seen.insert((commit.stream.clone(), commit.first));
        self.shards.entry(shard.clone()).or_default().push(entry.record.clone());
        json!({ "ShardId": shard, "SequenceNumber": format!("{:056}", self.sequence) })
    }

    /// Every record of every shard, shard by shard in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.shards
            .iter()
            .flat_map(|(shard, records)| records.iter().map(move |record| (shard.as_str(), record)))
    }
}
