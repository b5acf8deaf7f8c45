//! How far a reactor has come in each stream, as it is known to be stored: a row without fields, named like the stream.

use std::collections::{BTreeSet, HashMap};

use headwater::{StreamName, Version};

use crate::rows::{LoadedRows, Wanted};
use crate::{Expect, Parked, Revision, RowWrite, Transaction};

/// The streams that were looked up or written lately.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) streams: HashMap<StreamName, Place>,
}

/// How far a reactor has come in a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Place {
    /// Everything up to and with this version is reacted to.
    pub(super) version: Version,
    /// The version that is stored.
    pub(super) stored: Version,
    pub(super) parked: Option<Parked>,
}

impl Memory {
    /// What has to be loaded to know these streams.
    pub(super) fn unknown<'a>(&self, streams: impl Iterator<Item = &'a StreamName>) -> Wanted {
        let unknown: BTreeSet<_> =
            streams.filter(|stream| !self.streams.contains_key(*stream)).cloned().collect();
        Wanted { rows: unknown.iter().map(|stream| stream.as_str().to_owned()).collect(), streams: unknown }
    }

    /// Takes in what a row store answered. What was wanted and is not in the answer does not exist.
    pub(super) fn learn(&mut self, wanted: &Wanted, loaded: LoadedRows) {
        let versions: HashMap<_, _> =
            loaded.rows.into_iter().map(|row| (row.key, Version(row.revision.0))).collect();
        let mut parked: HashMap<_, _> =
            loaded.parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect();
        for stream in &wanted.streams {
            let version = versions.get(stream.as_str()).copied().unwrap_or_default();
            // A record that another owner has got past is void.
            let parked = parked.remove(stream).filter(|parked| parked.first_failing > version);
            self.streams.insert(stream.clone(), Place { version, stored: version, parked });
        }
    }
}

impl Place {
    /// The write that stores the version, if it is not stored.
    pub(super) fn write(&self, stream: &StreamName) -> Option<Transaction> {
        if self.version == self.stored {
            return None;
        }
        let expect = match self.stored {
            Version::EMPTY => Expect::Absent,
            Version(stored) => Expect::Revision(Revision(stored)),
        };
        let revision = Revision(self.version.0);
        let row = RowWrite { key: stream.as_str().to_owned(), fields: None, revision, expect };
        Some(Transaction { rows: vec![row], versions: Vec::new() })
    }
}
