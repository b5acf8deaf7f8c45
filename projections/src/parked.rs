//! Parked streams: what a projection cannot apply for now, without a copy of any payload.

use std::cmp::Ordering;
use std::fmt;

use headwater::{StreamName, Timestamp, Version};
use serde::{Deserialize, Serialize};

mod fingerprint;
mod group;

pub use fingerprint::{CauseFingerprint, NotAFingerprint};
pub use group::{ParkedGroup, ParkedGroups};

/// Most bytes of the words of a cause; what is longer ends in an ellipsis.
pub const MAX_CAUSE_BYTES: usize = 4 * 1024;

/// Most bytes of an audit entry's words: who ordered it, and the reason.
pub const MAX_AUDIT_BYTES: usize = 8 * 1024;

/// A stream that a projection cannot apply for now. Other streams flow on, and nothing is skipped (L6).
///
/// Every version from `first_failing` to `highest` waits in the ledger. A record whose `first_failing` is not above
/// the version applied is void: another owner has got past it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The stream.
    pub stream: StreamName,
    /// The version that could not be applied.
    pub first_failing: Version,
    /// The highest version of the stream that was seen since.
    pub highest: Version,
    /// Why.
    pub cause: Cause,
    /// How often it was tried.
    pub attempts: u32,
}

/// Why a stream is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The situation.
    pub kind: CauseKind,
    /// What happened, in words.
    pub message: String,
}

/// The situations in which a stream is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CauseKind {
    /// The event cannot be decoded by this program.
    Undecodable,
    /// Code of the projection panicked.
    Panic,
    /// The projection chose keys that are not allowed.
    Keys,
    /// The row in the store cannot be read, or the new one cannot be written as JSON.
    Row,
    /// The row, or all rows the event changes together, are over a limit.
    TooLarge,
    /// The ledger does not have the versions before it.
    Missing,
    /// A command of a reaction was refused, an effect failed, or the reactor said why it cannot react.
    Reaction,
}

/// What somebody ordered about parked streams, and why. Kept beside the rows of the generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, for people.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What was to be done.
    pub action: AuditAction,
    /// With what.
    pub target: AuditTarget,
    /// Why.
    pub reason: String,
}

/// What can be ordered about parked streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditAction {
    /// Apply the events again.
    Retry,
    /// Pass over the events: the projection will never have them.
    Discard,
}

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditTarget {
    /// These versions of one stream.
    Stream {
        /// The stream.
        stream: StreamName,
        /// The first version.
        from: Version,
        /// The last version.
        until: Version,
    },
    /// Every stream parked with an error of this fingerprint.
    Group {
        /// The fingerprint.
        fingerprint: CauseFingerprint,
        /// How many streams they were.
        streams: u64,
    },
}

impl Parked {
    /// What is to be kept when this record comes to the one before it, for row stores. `None` when that one stays as it
    /// is.
    #[must_use]
    pub fn over(&self, before: Option<&Self>) -> Option<Self> {
        let Some(before) = before else { return Some(self.clone()) };
        // What was seen stays seen, wherever the stream fails now.
        let highest = self.highest.max(before.highest);
        let later = match self.first_failing.cmp(&before.first_failing) {
            Ordering::Less => return None,
            Ordering::Equal if self.attempts < before.attempts => before,
            Ordering::Equal | Ordering::Greater => self,
        };
        Some(Self { highest, ..later.clone() }).filter(|record| record != before)
    }

    /// The fingerprint of the error, by which records are grouped.
    #[must_use]
    pub fn fingerprint(&self, projection: &str) -> CauseFingerprint {
        CauseFingerprint::of(projection, &self.stream, &self.cause)
    }
}

impl Cause {
    pub(crate) fn new(kind: CauseKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_CAUSE_BYTES {
            message.truncate(message.floor_char_boundary(MAX_CAUSE_BYTES - '…'.len_utf8()));
            message.push('…');
        }
        Self { kind, message }
    }

    /// The cause of an error, with everything below it.
    pub(crate) fn of(kind: CauseKind, error: &dyn std::error::Error) -> Self {
        Self::new(kind, chain(error))
    }

    /// The cause of a panic.
    pub(crate) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a message");
        Self::new(CauseKind::Panic, text)
    }
}

/// What an error says, with everything below it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        message.push_str(": ");
        message.push_str(&source.to_string());
        below = source.source();
    }
    message
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
