//! Why a command was not carried out.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::fold::FoldError;
use crate::codec::{EncodeError, UndecodableEvent};
use crate::store::StoreError;
use crate::{CommandKey, Expected, StreamName, Version};

/// Why a command was not carried out. Nothing was written, unless
/// [`StoreError::OutcomeUnknown`] says that it may have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<R> {
    /// The rules do not allow it.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: R,
        /// The version of the stream the decision was taken on, confirmed to be its head.
        version: Version,
    },
    /// The stream is not as the caller expected.
    #[error("stream {stream} is at version {actual}, expected {expected}: read it again and decide anew")]
    Precondition {
        /// The stream.
        stream: StreamName,
        /// What the caller expected.
        expected: Expected,
        /// The version it has.
        actual: Version,
        /// The types of the events after the expected version, oldest first, at most
        /// [`EVENTS_SINCE`](super::limits::EVENTS_SINCE).
        events_since: Vec<String>,
    },
    /// Another command was carried out under this key.
    #[error(
        "command key {key:?} was used on stream {stream} for another command: use a new key for a new command"
    )]
    KeyReused {
        /// The key.
        key: CommandKey,
        /// The stream.
        stream: StreamName,
        /// The first version of what that command did.
        first: Version,
    },
    /// Other writers were faster, again and again. Trying later may help.
    #[error("stream {stream} was changed by others during each of {decisions} decisions: try again")]
    Contended {
        /// The stream.
        stream: StreamName,
        /// How often the command was decided.
        decisions: u32,
    },
    /// An event of the stream cannot be decoded.
    #[error(transparent)]
    Undecodable(Box<UndecodableEvent>),
    /// An event the command produced cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<R> ExecuteError<R> {
    /// Whether the same command may succeed later without any change; after
    /// [`StoreError::OutcomeUnknown`] only under the same key, else it might be carried out twice.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Store(error) => error.retry_helps(),
            _ => false,
        }
    }

    /// The same with another kind of refusal.
    pub fn map_refusal<S>(self, map: impl FnOnce(R) -> S) -> ExecuteError<S> {
        match self {
            Self::Refused { refusal, version } => ExecuteError::Refused { refusal: map(refusal), version },
            Self::Precondition { stream, expected, actual, events_since } => {
                ExecuteError::Precondition { stream, expected, actual, events_since }
            }
            Self::KeyReused { key, stream, first } => ExecuteError::KeyReused { key, stream, first },
            Self::Contended { stream, decisions } => ExecuteError::Contended { stream, decisions },
            Self::Undecodable(error) => ExecuteError::Undecodable(error),
            Self::Encode(error) => ExecuteError::Encode(error),
            Self::Store(error) => ExecuteError::Store(error),
        }
    }
}

impl<R> From<FoldError> for ExecuteError<R> {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Undecodable(error) => Self::Undecodable(error),
            FoldError::Store(error) => Self::Store(error),
        }
    }
}

/// A refusal without its type: code, fields and message, as a client sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasedRefusal {
    /// The name of the refusal: the enum's variant as serde writes it.
    pub code: String,
    /// Its fields.
    pub fields: Value,
    /// Its message.
    pub message: String,
}

impl ErasedRefusal {
    /// Takes the type away.
    pub fn new<R: std::error::Error + Serialize>(refusal: &R) -> Self {
        let message = refusal.to_string();
        let (code, fields) = match serde_json::to_value(refusal) {
            Ok(Value::String(code)) => (code, Value::Null),
            Ok(Value::Object(object)) if object.len() == 1 => {
                object.into_iter().next().unwrap_or_else(|| ("refused".to_owned(), Value::Null))
            }
            Ok(fields) => ("refused".to_owned(), fields),
            Err(_) => ("refused".to_owned(), Value::Null),
        };
        Self { code, fields, message }
    }
}

impl fmt::Display for ErasedRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for ErasedRefusal {}
