//! Parked streams: what a projection cannot apply for now, without a copy of any payload.

use std::fmt;

use headwater::{StreamName, Version};
use serde::{Deserialize, Serialize};

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
}

impl Cause {
    pub(crate) fn new(kind: CauseKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The cause of an error, with everything below it.
    pub(crate) fn of(kind: CauseKind, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut below = error.source();
        while let Some(source) = below {
            message.push_str(": ");
            message.push_str(&source.to_string());
            below = source.source();
        }
        Self { kind, message }
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

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
