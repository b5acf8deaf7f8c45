//! What a step wants written: rows and versions, each under a condition.

use bytes::Bytes;
use headwater::{StreamName, Version};
use serde::{Deserialize, Serialize};

/// Most bytes of a row's fields: a DynamoDB item holds 400 KB, key and attribute names included.
pub const MAX_ROW_BYTES: usize = 380 * 1024;

/// Most rows and versions of one transaction: TransactWriteItems takes 100 actions.
pub const MAX_TRANSACTION_ITEMS: usize = 100;

/// Most bytes of the rows of one transaction: TransactWriteItems takes 4 MB.
pub const MAX_TRANSACTION_BYTES: usize = 3_800 * 1024;

/// What a write of a row is conditional on, from 1. Of a row fed by one stream it is the version of the stream that
/// was applied last; of a shared row it counts the writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// The condition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row, not even a deleted one.
    Absent,
    /// The row, live or deleted, has this revision.
    Revision(Revision),
}

/// A row to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWrite {
    /// Its key.
    pub key: String,
    /// Its fields as JSON; `None` is a row that was deleted or has no data yet, of which the revision stays.
    pub fields: Option<Bytes>,
    /// Its new revision.
    pub revision: Revision,
    /// The condition.
    pub expect: Expect,
}

/// The version applied of a stream that feeds shared rows, to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionWrite {
    /// The stream.
    pub stream: StreamName,
    /// Its new version.
    pub version: Version,
    /// The condition: the version it has. `Version::EMPTY` is none.
    pub expect: Version,
}

/// Rows and versions that are written together or not at all, at most [`MAX_TRANSACTION_ITEMS`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// The rows, each with another key. Without versions it is one row.
    pub rows: Vec<RowWrite>,
    /// The versions, each of another stream; empty when rows are fed by one stream.
    pub versions: Vec<VersionWrite>,
}
