//! A record of the feed: one commit as one JSON object, for this program and for any other that reads the stream.
//!
//! `FEED.md` beside this package is the documentation of the format for others. Fields are never renamed, and a reader
//! passes over fields it does not know. A change that an older reader may not pass over gets another `format`.
//!
//! Payloads come back byte for byte: a payload that is one JSON value stands in the record as it is, and any other
//! bytes as base64. Snapshots are not in the record; they are a cache of the ledger (L8).

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Record, RecordError, decode};
pub(crate) use write::{bound_bytes, encode};

/// The version of the format that is written here.
pub const FORMAT: u64 = 1;
