//! What is asked of a store when something is to be written.

use std::sync::Arc;

use super::Capabilities;
use crate::key::KeyedCommand;
use crate::{Commit, CommitId, EventData, Expected, Metadata, Snapshot, StreamName, Timestamp, Version};

/// One commit to be appended to one stream.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream.
    pub stream: StreamName,
    /// What the writer expects the stream's version to be.
    pub expected: Expected,
    /// The commit's id. Appending the same id again is a retry and answers with the first outcome.
    pub id: CommitId,
    /// When it was decided.
    pub recorded_at: Timestamp,
    /// What is known about the command.
    pub metadata: Metadata,
    /// The command's key and fingerprint.
    pub command: Option<KeyedCommand>,
    /// The events, at least one.
    pub events: Vec<EventData>,
    /// The state after this commit; only together with `Expected::Exact` or `Expected::NoStream`.
    pub snapshot: Option<Box<Snapshot>>,
}

impl Append {
    /// An append with a new commit id, without key, metadata or snapshot.
    #[must_use]
    pub fn new(stream: StreamName, expected: Expected, events: Vec<EventData>) -> Self {
        let recorded_at = crate::commit::now();
        Self {
            stream,
            expected,
            id: CommitId::at(recorded_at),
            recorded_at,
            metadata: Metadata::default(),
            command: None,
            events,
            snapshot: None,
        }
    }

    /// Bytes of everything a store must keep for it, names of attributes not counted.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let events: usize = self.events.iter().map(EventData::size_bytes).sum();
        let command = self.command.as_ref().map_or(0, |command| command.key.as_str().len() + 8);
        let snapshot = self.snapshot.as_deref().map_or(0, Snapshot::size_bytes);
        self.stream.as_str().len() + self.metadata.size_bytes() + events + command + snapshot
    }

    /// Checks it against the limits of a store, before anything is sent.
    ///
    /// # Errors
    /// [`Invalid`] naming the limit.
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), Invalid> {
        if self.events.is_empty() {
            return Err(Invalid::NoEvents { stream: self.stream.clone() });
        }
        if self.events.len() > capabilities.commit_events {
            return Err(Invalid::CommitEvents {
                events: self.events.len(),
                limit: capabilities.commit_events,
            });
        }
        let bytes = self.size_bytes();
        if bytes > capabilities.commit_bytes {
            return Err(Invalid::CommitBytes { bytes, limit: capabilities.commit_bytes });
        }
        let fixed = matches!(self.expected, Expected::Exact(_) | Expected::NoStream);
        if self.snapshot.is_some() && !fixed {
            return Err(Invalid::SnapshotOfUnknownVersion { stream: self.stream.clone() });
        }
        Ok(())
    }

    /// The commit it becomes when its first event gets version `first`.
    #[must_use]
    pub fn into_commit(self, first: Version) -> Commit {
        Commit {
            stream: self.stream,
            first,
            id: self.id,
            recorded_at: self.recorded_at,
            metadata: self.metadata,
            command: self.command,
            events: self.events,
            snapshot: self.snapshot,
        }
    }
}

/// A stream that takes part in a transaction without being written.
#[derive(Debug, Clone)]
pub struct Check {
    /// The stream.
    pub stream: StreamName,
    /// What its version must be.
    pub expected: Expected,
}

/// Several streams written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// The commits, each to another stream; at least one.
    pub appends: Vec<Append>,
    /// Streams that are only checked.
    pub checks: Vec<Check>,
}

impl Transaction {
    /// Checks it against the limits of a store, before anything is sent.
    ///
    /// # Errors
    /// [`Invalid`] naming the limit or the stream that is named twice.
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), Invalid> {
        let streams = self.appends.len() + self.checks.len();
        if self.appends.is_empty() {
            return Err(Invalid::EmptyTransaction);
        }
        if streams > capabilities.transaction_streams {
            return Err(Invalid::TransactionStreams { streams, limit: capabilities.transaction_streams });
        }
        each_once(self.streams())?;
        self.appends.iter().try_for_each(|append| append.check(capabilities))?;
        let bytes = self.appends.iter().map(Append::size_bytes).sum();
        if bytes > capabilities.transaction_bytes {
            return Err(Invalid::TransactionBytes { bytes, limit: capabilities.transaction_bytes });
        }
        Ok(())
    }

    /// Every stream it names.
    pub fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.appends.iter().map(|a| &a.stream).chain(self.checks.iter().map(|c| &c.stream))
    }
}

/// Refuses a stream that is named twice.
pub(crate) fn each_once<'a>(streams: impl Iterator<Item = &'a StreamName>) -> Result<(), Invalid> {
    let mut names: Vec<&StreamName> = streams.collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
        Some((twice, _)) => Err(Invalid::StreamTwice { stream: (*twice).clone() }),
        None => Ok(()),
    }
}

/// A commit that is durable.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The commit as it was stored.
    pub commit: Arc<Commit>,
    /// Whether an earlier try of the same append had already stored it.
    pub own_retry: bool,
}

/// Why a store refused a request before doing anything. Sending it again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// A commit without events.
    #[error("a commit to {stream} has no events: append at least one, or do not append")]
    NoEvents {
        /// The stream.
        stream: StreamName,
    },
    /// Too many events in a commit.
    #[error("a commit of {events} events is over the limit of {limit}: split the command")]
    CommitEvents {
        /// Events in the commit.
        events: usize,
        /// The limit.
        limit: usize,
    },
    /// A commit is too large.
    #[error(
        "a commit of {bytes} bytes is over the limit of {limit}: store large content elsewhere and refer to it"
    )]
    CommitBytes {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A transaction without a commit.
    #[error("a transaction has no commit: append to at least one stream")]
    EmptyTransaction,
    /// Too many streams in a transaction.
    #[error("a transaction over {streams} streams is over the limit of {limit}: use a process instead")]
    TransactionStreams {
        /// Streams named.
        streams: usize,
        /// The limit.
        limit: usize,
    },
    /// A transaction is too large.
    #[error("a transaction of {bytes} bytes is over the limit of {limit}: split it")]
    TransactionBytes {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A stream stands twice in a transaction.
    #[error("stream {stream} stands twice in one transaction: put its events into one commit")]
    StreamTwice {
        /// The stream.
        stream: StreamName,
    },
    /// A segment of the ledger that does not exist.
    #[error(
        "segment {segment} of {segments} does not exist: there are 1 to {} segments, counted from 0",
        super::limits::SCAN_SEGMENTS
    )]
    Segment {
        /// The segment.
        segment: u32,
        /// How many there are said to be.
        segments: u32,
    },
    /// A place of a segment that is none.
    #[error("{cursor:?} is not a place in segment {segment} of {segments}: begin the segment anew")]
    ScanCursor {
        /// The place.
        cursor: String,
        /// The segment.
        segment: u32,
        /// How many there are.
        segments: u32,
    },
    /// A snapshot without a known version.
    #[error("a snapshot for {stream} needs an exact expected version: its state belongs to one version only")]
    SnapshotOfUnknownVersion {
        /// The stream.
        stream: StreamName,
    },
}
