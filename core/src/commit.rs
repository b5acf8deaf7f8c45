//! A commit: the events one command produced, atomic, with everything recorded about them.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::key::KeyedCommand;
use crate::{Metadata, Snapshot, StreamName, Timestamp, Version};

/// The id of a commit, a UUID version 7 chosen by the writer. A store recognises its own retry by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitId(pub Uuid);

impl CommitId {
    /// A new id from the current time.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "every call gives another id")]
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// A new id from a time, for whoever has asked the clock already.
    pub(crate) fn at(time: Timestamp) -> Self {
        // `Uuid::now_v7` asks the kernel for every id, and takes a lock that all threads share to order ids of the same
        // millisecond. Nobody asks for that order, and 64 bits that the kernel seeded for this thread make an id unique.
        let millisecond = u64::try_from(time.as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        Self(uuid::Builder::from_unix_timestamp_millis(millisecond, &random).into_uuid())
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The present, to the microsecond: what every store can keep.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("the present is a timestamp")
}

/// The id of an event: its commit and its place in it, from 0. Written `{commit}.{index}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The commit.
    pub commit: CommitId,
    /// The place in the commit, from 0.
    pub index: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.commit, self.index)
    }
}

/// One event as bytes: its type, the schema version of its payload, and the payload as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventData {
    /// The wire name of the event type.
    pub name: Cow<'static, str>,
    /// The schema version of the payload, from 1.
    pub schema: u32,
    /// The payload; JSON when it was written by Headwater. Stores keep the bytes as they are.
    pub payload: Bytes,
}

impl EventData {
    /// Bytes of name and payload, for limits and cost.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.name.len() + self.payload.len()
    }
}

/// A commit as a store holds it. It has at least one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The stream it belongs to.
    pub stream: StreamName,
    /// The version of its first event.
    pub first: Version,
    /// Its id.
    pub id: CommitId,
    /// When it was decided, by the writer's clock: for people, never for order.
    pub recorded_at: Timestamp,
    /// What is known about its command.
    pub metadata: Metadata,
    /// The command's key and fingerprint, if it came with one.
    pub command: Option<KeyedCommand>,
    /// The events, in order; never empty.
    pub events: Vec<EventData>,
    /// The aggregate's state after this commit, if it rides along. A cache (L8). Boxed, because few commits have one.
    pub snapshot: Option<Box<Snapshot>>,
}

impl Commit {
    /// The version of its last event: the stream's version after this commit.
    #[must_use]
    pub fn last(&self) -> Version {
        Version((self.first.0 + self.events.len() as u64).saturating_sub(1))
    }

    /// Its events with versions and ids.
    pub fn recorded(&self) -> impl ExactSizeIterator<Item = RecordedEvent<'_>> + DoubleEndedIterator {
        self.events.iter().enumerate().map(|(index, data)| RecordedEvent {
            commit: self,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            data,
        })
    }
}

/// One event in its commit: what a store, a page of a stream or a feed hands out.
#[derive(Debug, Clone, Copy)]
pub struct RecordedEvent<'a> {
    /// The commit it belongs to: stream, time and metadata are there.
    pub commit: &'a Commit,
    /// Its place in the commit, from 0.
    pub index: u32,
    /// Type, schema version and payload.
    pub data: &'a EventData,
}

impl RecordedEvent<'_> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId { commit: self.commit.id, index: self.index }
    }

    /// Its version in the stream.
    #[must_use]
    pub fn version(&self) -> Version {
        self.commit.first.plus(u64::from(self.index))
    }
}
