//! Records as commits.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use headwater::key::{CommandKey, Fingerprint, KeyedCommand};
use headwater::{Commit, CommitId, EventData, Metadata, StreamName, Timestamp, Version};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::FORMAT;

/// A commit as it came from the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The commit, without a snapshot.
    pub commit: Commit,
    /// Whether the process that wrote the commit died, and another one published it. It may then be late, and on the
    /// feed a second time.
    pub redelivered: bool,
}

/// Why a record cannot be read. Reading it again does not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not JSON: another program writes to the stream, or it was cut.
    #[error("the record is not JSON: see that nothing but Headwater writes to the stream")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, and not that of a commit: a field is missing or holds something else.
    #[error("the record is not that of a commit: see that nothing but Headwater writes to the stream")]
    NotACommit(#[source] serde_json::Error),
    /// It was written by a newer version.
    #[error(
        "the record has format {found}, and this program knows format {FORMAT} only: use a newer version"
    )]
    Newer {
        /// The format it has.
        found: u64,
    },
    /// A field does not keep its rule.
    #[error("field {field:?} of the record is not valid: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// The rule it breaks.
        reason: String,
    },
}

/// The commit of a record.
///
/// ```
/// use headwater_store_kinesis::record;
///
/// let bytes = br#"{"format":1,"stream":"account/7","version":3,"commit":"0197a3c1-0000-7000-8000-000000000007",
///     "at":"2026-08-30T12:00:00.000000Z","events":[{"type":"Deposited","schema":1,"data":{"cents":500}}]}"#;
/// let record = record::decode(bytes)?;
/// assert_eq!(record.commit.stream.to_string(), "account/7");
/// assert_eq!(&record.commit.events[0].payload[..], br#"{"cents":500}"#);
/// # Ok::<(), record::RecordError>(())
/// ```
///
/// # Errors
/// [`RecordError`] when the bytes are not a record of a known format.
pub fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    let read: Read<'_> = serde_json::from_slice(bytes).map_err(|error| not_read(bytes, error))?;
    known(read.format)?;
    let stream = StreamName::parse(&read.stream).map_err(|error| invalid("stream", &error))?;
    let events = read.events.into_iter().map(Event::data).collect::<Result<Vec<EventData>, _>>()?;
    if events.is_empty() {
        return Err(invalid("events", &"a commit has at least one"));
    }
    let next = read.version.checked_add(events.len() as u64);
    if read.version == 0 || next.is_none() {
        return Err(invalid("version", &"versions start at 1, and one must be left for the next event"));
    }
    let commit = Commit {
        stream,
        first: Version(read.version),
        id: read.commit,
        recorded_at: read.at.parse::<Timestamp>().map_err(|error| invalid("at", &error))?,
        metadata: read.metadata,
        command: read.command.map(Command::keyed).transpose()?,
        events,
        snapshot: None,
    };
    Ok(Record { commit, redelivered: read.redelivered })
}

/// A record as it is read.
#[derive(Deserialize)]
struct Read<'a> {
    format: u64,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    version: u64,
    commit: CommitId,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(borrow, default)]
    command: Option<Command<'a>>,
    #[serde(borrow)]
    events: Vec<Event<'a>>,
    #[serde(default)]
    redelivered: bool,
}

#[derive(Deserialize)]
struct Command<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    fingerprint: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    name: Cow<'a, str>,
    schema: u32,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    base64: Option<Cow<'a, str>>,
}

/// The only field that a record of any format has.
#[derive(Deserialize)]
struct Head {
    format: u64,
}

impl Command<'_> {
    fn keyed(self) -> Result<KeyedCommand, RecordError> {
        let key = CommandKey::new(self.key).map_err(|error| invalid("command.key", &error))?;
        let digits = self.fingerprint.len() == 16 && self.fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
        let fingerprint = u64::from_str_radix(&self.fingerprint, 16).ok().filter(|_| digits);
        let fingerprint = fingerprint
            .ok_or_else(|| invalid("command.fingerprint", &"it is written as 16 hexadecimal digits"))?;
        Ok(KeyedCommand { key, fingerprint: Fingerprint(fingerprint) })
    }
}

impl Event<'_> {
    fn data(self) -> Result<EventData, RecordError> {
        let payload = match (self.data, self.base64) {
            (Some(value), None) => Bytes::copy_from_slice(value.get().as_bytes()),
            (None, Some(text)) => BASE64_STANDARD
                .decode(text.as_bytes())
                .map_err(|error| invalid("events.base64", &error))?
                .into(),
            _ => return Err(invalid("events", &"each has either data or base64")),
        };
        Ok(EventData { name: self.name.into_owned().into(), schema: self.schema, payload })
    }
}

/// A payload that is `null` is there, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Why the bytes could not be read. A newer format may lack any field but the one that says so.
fn not_read(bytes: &[u8], error: serde_json::Error) -> RecordError {
    match error.classify() {
        Category::Data => match serde_json::from_slice::<Head>(bytes).map(|head| known(head.format)) {
            Ok(Err(newer)) => newer,
            _ => RecordError::NotACommit(error),
        },
        Category::Syntax | Category::Eof | Category::Io => RecordError::NotJson(error),
    }
}

fn known(format: u64) -> Result<(), RecordError> {
    match format {
        FORMAT => Ok(()),
        0 => Err(invalid("format", &"formats are counted from 1")),
        found => Err(RecordError::Newer { found }),
    }
}

fn invalid(field: &'static str, reason: &impl ToString) -> RecordError {
    RecordError::Field { field, reason: reason.to_string() }
}
