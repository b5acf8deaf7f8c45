//! The trait of a row store and what is asked of it and answered. Bytes only; no type parameters.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use headwater::{StreamName, Version};

use super::{List, Query, RowError, RowPage};
use crate::{AuditEntry, Parked, Revision, Transaction};

/// Writes under way at once when rows are added and the backend has no way to add many in one request.
const WRITES_AT_ONCE: usize = 32;

/// One full copy of a projection's rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// The projection.
    pub projection: Arc<str>,
    /// The number of the copy, from 1.
    pub number: u32,
}

impl Generation {
    /// A generation of a projection.
    #[must_use]
    pub fn new(projection: &str, number: u32) -> Self {
        Self { projection: projection.into(), number }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-g{}", self.projection, self.number)
    }
}

/// What is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Rows by key.
    pub rows: BTreeSet<String>,
    /// Streams: the version applied, if it is kept apart from the rows, and whether the stream is parked.
    pub streams: BTreeSet<StreamName>,
}

impl Wanted {
    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.streams.is_empty()
    }
}

/// What was found of what was wanted; what does not exist is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadedRows {
    /// The rows, those without fields included.
    pub rows: Vec<StoredRow>,
    /// The versions that are kept apart from rows.
    pub versions: Vec<(StreamName, Version)>,
    /// The records of parked streams.
    pub parked: Vec<Parked>,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its key.
    pub key: String,
    /// Its revision.
    pub revision: Revision,
    /// Its fields as JSON; `None` when it was deleted or has no data yet.
    pub fields: Option<Bytes>,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// Everything was written.
    Done,
    /// A condition did not hold; nothing was written. Somebody else was first.
    Lost,
}

/// A page of what was ordered about parked streams, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where the next page starts, if there may be one. Opaque.
    pub next: Option<String>,
}

/// Where rows are kept. A backend is correct when it passes the conformance suite of the test kit.
#[async_trait]
pub trait RowStore: Send + Sync + fmt::Debug {
    /// Makes a generation with these indexes, or finds it made. It is done before anything else is asked about the
    /// generation, by every process and as often as it likes.
    ///
    /// # Errors
    /// [`RowError::Invalid`] when the generation was made without one of the indexes: its rows are not in it. Raise the
    /// version of the projection.
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError>;

    /// Drops a generation with all it holds. One that does not exist is dropped already.
    ///
    /// # Errors
    /// [`RowError`] when it is not gone.
    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError>;

    /// Loads rows, versions and parked streams.
    ///
    /// # Errors
    /// [`RowError`] when any of it cannot be read; never a part of it instead.
    ///
    /// # Ordering
    /// Each item is as it was last written before the call; items are not read at one moment.
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError>;

    /// Writes a transaction if every condition holds, or nothing.
    ///
    /// [`Written::Lost`] may also be the answer to a write that was carried out, when its first answer was lost on the
    /// way: whoever loses a write loads and decides again, and finds its events applied.
    ///
    /// # Errors
    /// [`RowError::Unfit`] for a transaction over a limit, see [`Transaction::check`], or over one of the store's own;
    /// [`RowError::Unavailable`] when the write may have happened.
    ///
    /// # Cancel safety
    /// When the future is dropped, everything or nothing is written.
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError>;

    /// Writes rows and versions that nobody has written yet, each for itself, as many as there are: for filling a new
    /// generation. Each transaction is one row or one version that is expected to be absent. The answers are in the order
    /// of the transactions, one for each; [`Written::Lost`] is one that is there already, and it is left as it is.
    ///
    /// # Errors
    /// An error for each that is perhaps not written; the others are not touched by it. Asking again for it is safe.
    ///
    /// # Cost
    /// What [`write`](Self::write) costs for each, in as few requests as the backend can.
    async fn add(
        &self,
        generation: &Generation,
        transactions: &[Transaction],
    ) -> Vec<Result<Written, RowError>> {
        let writing: Vec<_> =
            transactions.iter().map(|transaction| self.write(generation, transaction)).collect();
        futures::stream::iter(writing).buffered(WRITES_AT_ONCE).collect().await
    }

    /// Lists live rows by key, in the order of the bytes of the key.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for a limit that is 0 or too large, or a cursor of another question.
    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError>;

    /// Lists live rows by an index, those of one value by key; see [`index`](super::index) for the order.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for an index that the generation does not have, for bounds of two kinds, for a limit that
    /// is 0 or too large, or a cursor of another question.
    ///
    /// # Ordering
    /// A row that was written a moment ago may still be missing. A row that is there is as it was last written, and
    /// belongs to the range.
    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError>;

    /// Keeps the record of a parked stream.
    ///
    /// A record that failed further on takes the place of the one that is there. If both failed at the same version,
    /// the higher `attempts` of the two stay, and the cause of the later attempt. The higher `highest` stays in any case:
    /// what was seen stays seen. A record that failed earlier is out of date and changes nothing: a stream only moves on.
    ///
    /// # Errors
    /// [`RowError`] when it is not kept.
    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError>;

    /// Takes out the record of a parked stream, if it still says that this version failed first. [`Written::Lost`] when
    /// it says something else or is not there.
    ///
    /// # Errors
    /// [`RowError::Unavailable`] when it may be taken out.
    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError>;

    /// Lists parked streams by name, at most `limit` after a stream.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for a limit that is 0 or too large.
    ///
    /// # Ordering
    /// A stream that was parked a moment ago may still be missing.
    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError>;

    /// Keeps what somebody ordered about parked streams.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for an entry over a limit, see [`AuditEntry::check`].
    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError>;

    /// Lists what was ordered about parked streams, newest first.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for a limit that is 0 or too large, or a cursor of another question.
    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError>;
}
