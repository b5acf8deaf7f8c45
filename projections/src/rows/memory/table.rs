//! One generation in memory: its rows, what is known of streams, and its indexes.

use std::collections::{BTreeMap, HashMap};

use headwater::{StreamName, Version};
use serde_json::{Map, Value};

use crate::rows::index::Entry;
use crate::rows::{RowError, StoredRow, Written};
use crate::{AuditEntry, Expect, Parked, Transaction};

/// The rows of a generation, and what is kept beside them.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: BTreeMap<String, StoredRow>,
    pub(super) versions: HashMap<StreamName, Version>,
    pub(super) parked: BTreeMap<StreamName, Parked>,
    pub(super) audit: Vec<AuditEntry>,
    /// For each index the keys of its rows, by entry.
    pub(super) indexes: BTreeMap<String, BTreeMap<Vec<u8>, String>>,
    /// Whether it was made in so many words, not by somebody who looked at it first.
    prepared: bool,
}

impl Table {
    /// Makes the indexes, unless the generation was made before or has rows.
    pub(super) fn prepare(&mut self, indexes: &[&str]) {
        if !self.prepared && self.rows.is_empty() {
            self.indexes = indexes.iter().map(|index| ((*index).to_owned(), BTreeMap::new())).collect();
        }
        self.prepared = true;
    }

    pub(super) fn write(&mut self, transaction: &Transaction) -> Result<Written, RowError> {
        let rows = transaction.rows.iter().map(|row| StoredRow {
            key: row.key.clone(),
            revision: row.revision,
            fields: row.fields.clone(),
        });
        let rows: Vec<_> = rows.collect();
        if let Some(row) = rows.iter().find(|row| row.fields.is_some() && read(row).is_none()) {
            let reason = format!("the fields of row {:?} are not JSON", row.key);
            return Err(RowError::Invalid { reason });
        }
        if !self.allows(transaction) {
            return Ok(Written::Lost);
        }
        for row in rows {
            let before = self.rows.insert(row.key.clone(), row.clone());
            self.index(before.as_ref(), &row);
        }
        for version in &transaction.versions {
            self.versions.insert(version.stream.clone(), version.version);
        }
        Ok(Written::Done)
    }

    fn allows(&self, transaction: &Transaction) -> bool {
        let rows = transaction.rows.iter().all(|row| match (self.rows.get(&row.key), row.expect) {
            (None, Expect::Absent) => true,
            (Some(stored), Expect::Revision(revision)) => stored.revision == revision,
            _ => false,
        });
        let stored = |stream| self.versions.get(stream).copied().unwrap_or_default();
        rows && transaction.versions.iter().all(|version| stored(&version.stream) == version.expect)
    }

    /// Takes a row from its old places in the indexes to the new ones.
    fn index(&mut self, before: Option<&StoredRow>, row: &StoredRow) {
        for (name, index) in &mut self.indexes {
            if let Some(entry) = before.and_then(|before| entry(before, name)) {
                index.remove(entry.bytes());
            }
            if let Some(entry) = entry(row, name) {
                index.insert(entry.bytes().to_vec(), row.key.clone());
            }
        }
    }
}

/// A field of a live row.
pub(super) fn field(row: &StoredRow, name: &str) -> Option<Value> {
    serde_json::from_value::<Map<String, Value>>(read(row)?).ok()?.remove(name)
}

fn entry(row: &StoredRow, index: &str) -> Option<Entry> {
    Entry::of(&field(row, index)?, &row.key)
}

fn read(row: &StoredRow) -> Option<Value> {
    serde_json::from_slice(row.fields.as_ref()?).ok()
}
