//! Commits as records.

use std::io;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use headwater::key::KeyedCommand;
use headwater::store::Append;
use headwater::{Commit, CommitId, EventData, Metadata, StreamName, Timestamp, Version};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::FORMAT;

/// The bytes of the record of a commit.
pub(crate) fn encode(commit: &Commit, redelivered: bool) -> Vec<u8> {
    let written = Written {
        format: FORMAT,
        stream: &commit.stream,
        version: commit.first,
        commit: commit.id,
        at: text(commit.recorded_at),
        metadata: &commit.metadata,
        command: commit.command.as_ref().map(Command::of),
        events: Events(&commit.events),
        redelivered,
    };
    let payloads: usize = commit.events.iter().map(EventData::size_bytes).sum();
    let mut bytes = Vec::with_capacity(payloads + 512);
    written.put(&mut bytes);
    bytes
}

/// The most bytes that the record of this append can have, its partition key included, whatever version it gets and
/// however often it is delivered.
pub(crate) fn bound_bytes(append: &Append) -> usize {
    let written = Written {
        format: FORMAT,
        stream: &append.stream,
        version: Version(u64::MAX),
        commit: append.id,
        at: text(append.recorded_at),
        metadata: &append.metadata,
        command: append.command.as_ref().map(Command::of),
        events: Events(&append.events),
        redelivered: true,
    };
    let mut count = Count(append.stream.as_str().len());
    written.put(&mut count);
    count.0
}

/// A record as it is written; the names of its fields are the names in JSON.
#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    stream: &'a StreamName,
    version: Version,
    commit: CommitId,
    at: String,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Command<'a>>,
    events: Events<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    redelivered: bool,
}

#[derive(Serialize)]
struct Command<'a> {
    key: &'a str,
    fingerprint: String,
}

struct Events<'a>(&'a [EventData]);

/// One event, with either form of its payload.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    schema: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Counts what is written to it.
struct Count(usize);

impl Written<'_> {
    fn put(&self, to: impl io::Write) {
        serde_json::to_writer(to, self)
            .expect("memory takes any bytes, and all keys of the record are texts");
    }
}

impl<'a> Command<'a> {
    fn of(command: &'a KeyedCommand) -> Self {
        // As text: readers of JSON in other languages round numbers above 2^53.
        Self { key: command.key.as_str(), fingerprint: format!("{:016x}", command.fingerprint.0) }
    }
}

impl<'a> Event<'a> {
    fn of(event: &'a EventData) -> Self {
        // White space around a value is not part of it and would be lost.
        let data = serde_json::from_slice::<&RawValue>(&event.payload)
            .ok()
            .filter(|value| value.get().len() == event.payload.len());
        let base64 = data.is_none().then(|| BASE64_STANDARD.encode(&event.payload));
        Self { name: &event.name, schema: event.schema, data, base64 }
    }
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Event::of))
    }
}

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// RFC 3339 to the microsecond, which is what every store keeps.
fn text(time: Timestamp) -> String {
    format!("{time:.6}")
}
