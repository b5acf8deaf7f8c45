//! The order of an index, in bytes: the same in every row store.
//!
//! An entry is the bytes of the value, then those of the row's key. Comparing entries byte by byte gives: `false`,
//! `true`, numbers in their order, texts by their bytes in UTF-8; rows of one value by key. No value's bytes begin
//! with another's, so a range of values is a range of entries.
//!
//! - `entry.rs`: entries, and the range of entries for a range of values,
//! - `number.rs`: numbers of any size as bytes, exactly.
//!
//! An entry has at most [`limits::ENTRY_BYTES`] bytes, because a sort key of DynamoDB has no more. So texts are ordered
//! by their first [`limits::TEXT_BYTES`] bytes and, where those are alike, by key; which rows a range holds is decided
//! by whole texts all the same. Of a key longer than [`limits::KEY_BYTES`] the rest is replaced by a digest.

mod entry;
mod number;

pub use entry::{Entries, Entry};

/// Limits of what an index holds of a row.
pub mod limits {
    /// Bytes of a text that count for its order.
    pub const TEXT_BYTES: usize = 480;
    /// Bytes of a row's key that are in an entry as they are.
    pub const KEY_BYTES: usize = 480;
    /// Bytes of an entry: both of them, a mark in front of the value, one behind it, and 16 bytes of a digest.
    pub const ENTRY_BYTES: usize = TEXT_BYTES + KEY_BYTES + 2 + 16;
}
