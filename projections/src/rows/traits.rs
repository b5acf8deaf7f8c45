//! The trait of a row store and what is asked of it and answered. Bytes only; no type parameters.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater::{StreamName, Version};

use super::RowError;
use crate::{Parked, Revision, Transaction};

/// Most rows or parked streams of one page.
pub const MAX_PAGE_ROWS: usize = 1_000;

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

/// A page of rows that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The cursor of the page before; `None` for the first.
    pub after: Option<String>,
    /// Most rows of the page, up to [`MAX_PAGE_ROWS`].
    pub limit: usize,
}

/// A page of live rows, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowPage {
    /// The rows; each has fields.
    pub rows: Vec<StoredRow>,
    /// Where the next page starts, if there may be one. Opaque.
    pub next: Option<String>,
}

/// Where rows are kept. A backend is correct when it passes the conformance suite of the test kit.
#[async_trait]
pub trait RowStore: Send + Sync + fmt::Debug {
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
    /// # Errors
    /// [`RowError::Unavailable`] when the write may have happened.
    ///
    /// # Cancel safety
    /// When the future is dropped, everything or nothing is written.
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError>;

    /// Lists live rows by key, in the order of the bytes of the key.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for a limit that is 0 or too large.
    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError>;

    /// Keeps the record of a parked stream. If there is one with the same first failing version, the higher `highest`
    /// of the two stays.
    ///
    /// # Errors
    /// [`RowError`] when it is not kept.
    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError>;

    /// Lists parked streams by name, at most `limit` after a stream.
    ///
    /// # Errors
    /// [`RowError::Invalid`] for a limit that is 0 or too large.
    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError>;
}

/// Refuses a limit of a page that is 0 or too large.
pub(crate) fn check_limit(limit: usize) -> Result<(), RowError> {
    if (1..=MAX_PAGE_ROWS).contains(&limit) {
        return Ok(());
    }
    Err(RowError::Invalid { reason: format!("a page has 1 to {MAX_PAGE_ROWS} rows, {limit} were asked for") })
}
