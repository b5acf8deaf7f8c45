//! Memory: what a step knows of rows and streams. A cache of the row store; dropped whenever a write is lost.

use std::fmt;

use hashbrown::HashMap;
use headwater::{StreamName, Version};

use crate::fold::guarded;
use crate::rows::{LoadedRows, StoredRow, Wanted};
use crate::{Parked, Projection, Revision};

/// The rows and streams of a projection that were read or written lately.
pub struct Memory<P> {
    pub(crate) rows: HashMap<String, Row<P>>,
    pub(crate) streams: HashMap<StreamName, StreamState>,
    /// Counts the steps, so that what the last one used is known.
    pub(crate) tick: u64,
}

/// A row as it is known to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Row<P> {
    /// `None`: there is no such row.
    pub(crate) revision: Option<Revision>,
    pub(crate) fields: Fields<P>,
    pub(crate) used: u64,
}

/// The fields of a row.
#[derive(Debug, Clone)]
pub(crate) enum Fields<P> {
    Live(P),
    /// Never written, deleted, or without data yet.
    Gone,
    /// What is stored does not fit the type; the reason.
    Unreadable(String),
}

/// A stream as it is known to be applied.
#[derive(Debug, Clone)]
pub(crate) struct StreamState {
    pub(crate) version: Version,
    pub(crate) parked: Option<Parked>,
    pub(crate) used: u64,
}

impl<P: Projection> Memory<P> {
    /// A memory that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: HashMap::new(), streams: HashMap::new(), tick: 0 }
    }

    /// Takes in what a row store answered. What was wanted and is not in the answer does not exist.
    pub fn learn(&mut self, wanted: &Wanted, loaded: LoadedRows) {
        let absent = |_: &String| Row { revision: None, fields: Fields::Gone, used: self.tick };
        let rows = wanted.rows.iter().map(|key| (key.clone(), absent(key)));
        self.rows.extend(rows);
        for row in loaded.rows {
            let (key, row) = self.read_row(row);
            self.rows.insert(key, row);
        }
        let versions: HashMap<_, _> = loaded.versions.into_iter().collect();
        let mut parked: HashMap<_, _> =
            loaded.parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect();
        for stream in &wanted.streams {
            let version = if P::SHARED {
                versions.get(stream).copied().unwrap_or_default()
            } else {
                let row = self.rows.get(stream.id()).and_then(|row| row.revision);
                Version(row.map_or(0, |revision| revision.0))
            };
            // A record that another owner has got past is void.
            let parked = parked.remove(stream).filter(|parked| parked.first_failing > version);
            self.streams.insert(stream.clone(), StreamState { version, parked, used: self.tick });
        }
    }

    fn read_row(&self, row: StoredRow) -> (String, Row<P>) {
        // Code of the projection runs here as well: what it panics about parks the streams of the row, not the runner.
        let read = |bytes: &[u8]| guarded(|| Ok(serde_json::from_slice::<P>(bytes)));
        let fields = match row.fields.as_deref().map(read) {
            None => Fields::Gone,
            Some(Ok(Ok(fields))) => Fields::Live(fields),
            Some(Ok(Err(error))) => Fields::Unreadable(error.to_string()),
            Some(Err(panic)) => Fields::Unreadable(panic.message),
        };
        (row.key, Row { revision: Some(row.revision), fields, used: self.tick })
    }

    /// The version applied of a stream, if the stream is known.
    #[must_use]
    pub fn version(&self, stream: &StreamName) -> Option<Version> {
        self.streams.get(stream).map(|state| state.version)
    }

    /// The fields of a row, if the row is known and exists.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&P> {
        match &self.rows.get(key)?.fields {
            Fields::Live(fields) => Some(fields),
            Fields::Gone | Fields::Unreadable(_) => None,
        }
    }

    /// The live rows it knows.
    pub fn live_rows(&self) -> impl Iterator<Item = (&str, &P)> {
        self.rows.keys().filter_map(|key| Some((key.as_str(), self.row(key)?)))
    }

    /// The parked streams it knows.
    pub fn parked(&self) -> impl Iterator<Item = &Parked> {
        self.streams.values().filter_map(|state| state.parked.as_ref())
    }

    /// Whether a stream is known to be parked.
    pub(crate) fn is_parked(&self, stream: &StreamName) -> bool {
        self.streams.get(stream).is_some_and(|state| state.parked.is_some())
    }

    /// Forgets a stream: what is stored about it is looked up again.
    pub(crate) fn forget(&mut self, stream: &StreamName) {
        self.streams.remove(stream);
    }

    /// Forgets that a stream is parked, so that its events are tried again.
    pub(crate) fn release(&mut self, stream: &StreamName) {
        if let Some(state) = self.streams.get_mut(stream) {
            state.parked = None;
        }
    }

    /// How many rows and streams it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() + self.streams.len()
    }

    /// Whether it knows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything: after a write that was lost or whose outcome is unknown.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.streams.clear();
    }

    /// Forgets what the last step did not use, when there is more than `limit`.
    pub fn trim(&mut self, limit: usize) {
        if self.len() > limit {
            let tick = self.tick;
            self.rows.retain(|_, row| row.used == tick);
            self.streams.retain(|_, state| state.used == tick);
        }
    }
}

impl<P: Projection> Default for Memory<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for Memory<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("rows", &self.rows.len())
            .field("streams", &self.streams.len())
            .finish_non_exhaustive()
    }
}
