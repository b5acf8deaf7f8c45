//! A commit as an item of the table `{prefix}-ledger`. This page is the documentation of the layout.
//!
//! Names are short because they are billed with every item. Sizes are bytes as DynamoDB counts them, names included.
//!
//! | name | type | bytes | content |
//! |---|---|---|---|
//! | `s` | S | 1 + name | the stream, `category/id`; partition key |
//! | `v` | N | 3 to 12 | the version of the first event; sort key |
//! | `f` | N | 3 | the version of this layout, 1 |
//! | `n` | N | 3 to 4 | how many events |
//! | `i` | B | 17 | the commit id, a UUID version 7 |
//! | `t` | N | 10 | when it was decided, in microseconds since 1970 |
//! | `e` | B | 1 + events | the events; see `events.rs` |
//! | `m` | S | 1 + text | the metadata as JSON; not there when nothing is known |
//! | `k` | S | 1 + key | the command key; not there without one |
//! | `p` | N | up to 12 | the fingerprint of the command; beside `k` |
//! | `w` | S | 19 | the writer and its lane; partition key of the index `outbox` |
//! | `q` | N | 3 to 7 | the number of the commit in the lane; sort key of that index |
//! | `zs` | N | up to 9 | the schema version of the snapshot; not there without one |
//! | `zd` | B | 2 + state | the state of the snapshot |
//! | `zk` | B | 2 + 24 each | its keys, each three numbers of 8 bytes, highest byte first: hash, fingerprint, version |
//!
//! A commit of one event costs 64 to 68 bytes besides the names of stream and event, the payload and what is optional.
//!
//! A reader passes over attributes it does not know. A change that an older reader may not pass over gets another `f`,
//! and a reader refuses an `f` it does not know: what cannot be understood is an error, never a shorter answer.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use headwater::key::{CommandKey, Fingerprint, KeyRecord, KeyedCommand};
use headwater::{Commit, CommitId, Metadata, Snapshot, StreamName, Timestamp, Version};
use uuid::Uuid;

use super::error::Fault;
use super::events;
use crate::outbox::Number;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The version of the layout.
const FORMAT: u64 = 1;

pub(crate) const STREAM: &str = "s";
pub(crate) const FIRST: &str = "v";
/// What a [`Mark`] is read from.
pub(crate) const MARK: &str = "v, f, n, i";

/// The little of a commit that says where it ends and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) first: Version,
    pub(crate) last: Version,
    pub(crate) id: CommitId,
}

/// The key of the item of a commit that starts at `first`.
pub(crate) fn key(stream: &StreamName, first: Version) -> Item {
    HashMap::from([
        (STREAM.to_owned(), AttributeValue::S(stream.as_str().to_owned())),
        (FIRST.to_owned(), number(first.0)),
    ])
}

/// The writer and lane of an item, and the number in it.
pub(crate) const WRITER: &str = "w";
pub(crate) const NUMBER: &str = "q";

/// The item of a commit, with its number in the outbox.
pub(crate) fn encode(commit: &Commit, place: &Number) -> Item {
    let mut item = key(&commit.stream, commit.first);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("f", number(FORMAT));
    put(WRITER, AttributeValue::S(place.lane.clone()));
    put(NUMBER, number(place.value));
    put("n", number(commit.events.len() as u64));
    put("i", binary(commit.id.0.as_bytes().to_vec()));
    put("t", AttributeValue::N(commit.recorded_at.as_microsecond().to_string()));
    put("e", binary(events::encode(&commit.events)));
    if !commit.metadata.is_empty() {
        let text = serde_json::to_string(&commit.metadata).expect("texts and maps of texts are JSON");
        put("m", AttributeValue::S(text));
    }
    if let Some(command) = &commit.command {
        put("k", AttributeValue::S(command.key.as_str().to_owned()));
        put("p", number(command.fingerprint.0));
    }
    if let Some(snapshot) = &commit.snapshot {
        put("zs", number(u64::from(snapshot.schema)));
        put("zd", binary(snapshot.state.to_vec()));
        put("zk", binary(pack(&snapshot.keys)));
    }
    item
}

/// The commit of an item.
pub(crate) fn decode(stream: &StreamName, item: Item) -> Result<Commit, Fault> {
    let mut fields = Fields::new(stream, item)?;
    let count = fields.count()?;
    let id = fields.id()?;
    let recorded_at = match fields.take("t") {
        Some(AttributeValue::N(text)) => {
            text.parse().ok().and_then(|time| Timestamp::from_microsecond(time).ok())
        }
        _ => None,
    };
    let recorded_at = recorded_at.ok_or_else(|| fields.bad("t"))?;
    let events = fields.bytes("e")?;
    let events = events::decode(events).filter(|events| events.len() as u64 == count);
    let events = events.ok_or_else(|| fields.bad("e"))?;
    let metadata = match fields.take("m") {
        None => Metadata::default(),
        Some(AttributeValue::S(text)) => serde_json::from_str(&text).map_err(|_| fields.bad("m"))?,
        Some(_) => return Err(fields.bad("m")),
    };
    let command = match fields.take("k") {
        None => None,
        Some(AttributeValue::S(key)) => {
            let key = CommandKey::new(key).map_err(|_| fields.bad("k"))?;
            Some(KeyedCommand { key, fingerprint: Fingerprint(fields.number("p")?) })
        }
        Some(_) => return Err(fields.bad("k")),
    };
    let snapshot = match fields.item.contains_key("zs") {
        false => None,
        true => Some(Box::new(Snapshot {
            schema: u32::try_from(fields.number("zs")?).map_err(|_| fields.bad("zs"))?,
            state: fields.bytes("zd")?,
            keys: unpack(&fields.bytes("zk")?).ok_or_else(|| fields.bad("zk"))?,
        })),
    };
    let first = fields.first;
    Ok(Commit { stream: stream.clone(), first, id, recorded_at, metadata, command, events, snapshot })
}

/// The mark of an item that has at least [`MARK`].
pub(crate) fn mark(stream: &StreamName, item: Item) -> Result<Mark, Fault> {
    let mut fields = Fields::new(stream, item)?;
    let count = fields.count()?;
    let id = fields.id()?;
    Ok(Mark { first: fields.first, last: Version(fields.first.0 + (count - 1)), id })
}

/// The stream, the first version and the number that an entry of the outbox's index names.
pub(crate) fn place_of(mut entry: Item) -> Option<(StreamName, Version, u64)> {
    let AttributeValue::S(stream) = entry.remove(STREAM)? else { return None };
    let number = |value: AttributeValue| value.as_n().ok()?.parse().ok();
    let first = number(entry.remove(FIRST)?)?;
    Some((StreamName::parse(&stream).ok()?, Version(first), number(entry.remove(NUMBER)?)?))
}

/// The bytes of an item as DynamoDB counts them against its limit; of numbers the most they may take.
pub(crate) fn size_bytes(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        _ => 0,
    };
    item.iter().map(|(name, content)| name.len() + value(content)).sum()
}

/// What is left of an item whose stream, first version and format have been looked at.
struct Fields<'a> {
    stream: &'a StreamName,
    first: Version,
    item: Item,
}

impl<'a> Fields<'a> {
    fn new(stream: &'a StreamName, item: Item) -> Result<Self, Fault> {
        let mut fields = Self { stream, first: Version::EMPTY, item };
        fields.first = Version(fields.number(FIRST)?);
        match fields.number("f")? {
            FORMAT => Ok(fields),
            other => Err(fields.corrupt(format!(
                "it was written in format {other} and this program knows format {FORMAT} only: use a newer version"
            ))),
        }
    }

    fn take(&mut self, name: &str) -> Option<AttributeValue> {
        self.item.remove(name)
    }

    fn number(&mut self, name: &str) -> Result<u64, Fault> {
        match self.take(name) {
            Some(AttributeValue::N(text)) => text.parse().map_err(|_| self.bad(name)),
            _ => Err(self.bad(name)),
        }
    }

    fn bytes(&mut self, name: &str) -> Result<Bytes, Fault> {
        match self.take(name) {
            Some(AttributeValue::B(blob)) => Ok(blob.into_inner().into()),
            _ => Err(self.bad(name)),
        }
    }

    /// How many events; never none, and never so many that there is no version for the next.
    fn count(&mut self) -> Result<u64, Fault> {
        match self.number("n")? {
            0 => Err(self.bad("n")),
            count if self.first.0.checked_add(count).is_some() => Ok(count),
            _ => Err(self.bad(FIRST)),
        }
    }

    fn id(&mut self) -> Result<CommitId, Fault> {
        let bytes = self.bytes("i")?;
        Ok(CommitId(Uuid::from_slice(&bytes).map_err(|_| self.bad("i"))?))
    }

    fn bad(&self, name: &str) -> Fault {
        self.corrupt(format!("attribute {name:?} of its item is missing or not what the layout says"))
    }

    fn corrupt(&self, reason: String) -> Fault {
        Fault::Corrupt { stream: self.stream.clone(), version: self.first, reason }
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn binary(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

fn pack(keys: &[KeyRecord]) -> Vec<u8> {
    let numbers = keys.iter().flat_map(|key| [key.hash, key.fingerprint.0, key.first.0]);
    numbers.flat_map(u64::to_be_bytes).collect()
}

fn unpack(bytes: &[u8]) -> Option<Vec<KeyRecord>> {
    let records = bytes.chunks(KeyRecord::BYTES).map(|record| {
        let number = |place: usize| Some(u64::from_be_bytes(record.get(place..place + 8)?.try_into().ok()?));
        Some(KeyRecord {
            hash: number(0)?,
            fingerprint: Fingerprint(number(8)?),
            first: Version(number(16)?),
        })
    });
    records.collect()
}
