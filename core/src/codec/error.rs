//! Errors of encoding and decoding.

use crate::{StreamName, Version};

/// An event, command or state could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be written as JSON")]
pub struct EncodeError {
    /// What was to be written.
    pub what: &'static str,
    /// Why not.
    pub source: serde_json::Error,
}

/// A stored event could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Its type is not known to this program.
    #[error("event type {name:?} is unknown: known are {known}; add it to the enum or as `retired`")]
    UnknownType {
        /// The type.
        name: String,
        /// The types that are known.
        known: String,
    },
    /// Its type is known, but not in this version.
    #[error(
        "event type {name:?} has no version {schema}: the newest known is {newest}; deploy a program that knows it, \
         or add `from` for an older one"
    )]
    UnknownSchema {
        /// The type.
        name: String,
        /// The version.
        schema: u32,
        /// The newest version that is known.
        newest: u32,
    },
    /// Its payload does not fit its type.
    #[error("payload of event type {name:?}, version {schema}, does not fit")]
    Payload {
        /// The type.
        name: String,
        /// The version.
        schema: u32,
        /// Where and why.
        source: serde_json::Error,
    },
}

/// An event in a stream could not be read: which one, and why.
#[derive(Debug, thiserror::Error)]
#[error("event {version} of stream {stream} cannot be decoded")]
pub struct UndecodableEvent {
    /// The stream.
    pub stream: StreamName,
    /// The version.
    pub version: Version,
    /// Why.
    pub source: DecodeError,
}

/// A command could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no command of this name.
    #[error("command {name:?} is unknown: known are {known}")]
    UnknownName {
        /// The name.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// The content is not JSON or does not fit the command.
    #[error("content of command {name:?} does not fit: {reason}")]
    Content {
        /// The command.
        name: String,
        /// The field, as a path; `.` is the whole content.
        path: String,
        /// What is wrong, with the field.
        reason: String,
    },
}
