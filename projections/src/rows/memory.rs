//! Rows in memory: for tests, for a single process without durability, and for reading before writing a row store.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use headwater::{StreamName, Version};

use super::traits::check_limit;
use super::{Generation, List, LoadedRows, RowError, RowPage, RowStore, StoredRow, Wanted, Written};
use crate::{Expect, MAX_TRANSACTION_ITEMS, Parked, Transaction};

/// A row store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryRows {
    // Each generation has a lock of its own, so projections do not wait for each other.
    tables: Mutex<HashMap<Generation, Arc<Mutex<Table>>>>,
}

#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<String, StoredRow>,
    versions: HashMap<StreamName, Version>,
    parked: BTreeMap<StreamName, Parked>,
}

impl MemoryRows {
    /// A store without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, generation: &Generation, work: impl FnOnce(&mut Table) -> T) -> T {
        let table = Arc::clone(locked(&self.tables).entry(generation.clone()).or_default());
        let mut table = locked(&table);
        work(&mut table)
    }
}

/// No code of others runs under these locks, so a poisoned one still holds whole data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn allows(&self, transaction: &Transaction) -> bool {
        let rows = transaction.rows.iter().all(|row| match (self.rows.get(&row.key), row.expect) {
            (None, Expect::Absent) => true,
            (Some(stored), Expect::Revision(revision)) => stored.revision == revision,
            _ => false,
        });
        rows && transaction
            .versions
            .iter()
            .all(|version| self.versions.get(&version.stream).copied().unwrap_or_default() == version.expect)
    }
}

#[async_trait]
impl RowStore for MemoryRows {
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        Ok(self.with(generation, |table| {
            let streams = || wanted.streams.iter();
            LoadedRows {
                rows: wanted.rows.iter().filter_map(|key| table.rows.get(key).cloned()).collect(),
                versions: streams().filter_map(|s| Some((s.clone(), *table.versions.get(s)?))).collect(),
                parked: streams().filter_map(|stream| table.parked.get(stream).cloned()).collect(),
            }
        }))
    }

    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        let items = transaction.rows.len() + transaction.versions.len();
        if items > MAX_TRANSACTION_ITEMS {
            let reason =
                format!("a transaction has {items} items, {MAX_TRANSACTION_ITEMS} is the limit: split it");
            return Err(RowError::Invalid { reason });
        }
        Ok(self.with(generation, |table| {
            if !table.allows(transaction) {
                return Written::Lost;
            }
            for row in &transaction.rows {
                let stored =
                    StoredRow { key: row.key.clone(), revision: row.revision, fields: row.fields.clone() };
                table.rows.insert(row.key.clone(), stored);
            }
            for version in &transaction.versions {
                table.versions.insert(version.stream.clone(), version.version);
            }
            Written::Done
        }))
    }

    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        check_limit(list.limit)?;
        let start = list.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.with(generation, |table| {
            let mut live = table
                .rows
                .range::<str, _>((start, Bound::Unbounded))
                .map(|(_, row)| row)
                .filter(|row| row.fields.is_some());
            let rows: Vec<_> = live.by_ref().take(list.limit).cloned().collect();
            let more = live.next().is_some();
            let next = rows.last().filter(|_| more).map(|row| row.key.clone());
            RowPage { rows, next }
        }))
    }

    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        self.with(generation, |table| {
            let before = table.parked.insert(parked.stream.clone(), parked.clone());
            let before = before.filter(|before| before.first_failing == parked.first_failing);
            if let (Some(before), Some(now)) = (before, table.parked.get_mut(&parked.stream)) {
                now.highest = now.highest.max(before.highest);
            }
        });
        Ok(())
    }

    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        check_limit(limit)?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.with(generation, |table| {
            table
                .parked
                .range((start, Bound::Unbounded))
                .take(limit)
                .map(|(_, parked)| parked.clone())
                .collect()
        }))
    }
}
