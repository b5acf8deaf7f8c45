//! Rows in memory: for tests, for a single process without durability, and for reading before writing a row store.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use headwater::{StreamName, Version};

use self::table::Table;
use super::cursor::Scope;
use super::{
    AuditPage, Direction, Generation, List, LoadedRows, Query, RowError, RowPage, RowStore, Wanted, Written,
    check_keys, check_limit,
};
use crate::{AuditEntry, Parked, Transaction};

mod table;

/// A row store that forgets everything when it is dropped. A generation that nobody prepared is made without indexes.
#[derive(Debug, Default)]
pub struct MemoryRows {
    // Each generation has a lock of its own, so projections do not wait for each other.
    tables: Mutex<HashMap<Generation, Arc<Mutex<Table>>>>,
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

#[async_trait]
impl RowStore for MemoryRows {
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        let table = Arc::clone(locked(&self.tables).entry(generation.clone()).or_default());
        let mut table = locked(&table);
        table.prepare(indexes);
        match indexes.iter().find(|index| !table.indexes.contains_key(**index)) {
            None => Ok(()),
            Some(index) => Err(RowError::missing_index(generation, index)),
        }
    }

    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError> {
        locked(&self.tables).remove(generation);
        Ok(())
    }

    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        check_keys(wanted)?;
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
        transaction.check()?;
        self.with(generation, |table| table.write(transaction))
    }

    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        check_limit(list.limit)?;
        let scope = Scope::keys(generation);
        let after = list.after.as_deref().map(|cursor| scope.place(cursor)).transpose()?;
        let after = after.map(|place| String::from_utf8_lossy(&place).into_owned());
        let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.with(generation, |table| {
            let mut live = table
                .rows
                .range::<str, _>((start, Bound::Unbounded))
                .map(|(_, row)| row)
                .filter(|row| row.fields.is_some());
            let rows: Vec<_> = live.by_ref().take(list.limit).cloned().collect();
            let more = live.next().is_some();
            let next = rows.last().filter(|_| more).map(|row| scope.cursor(row.key.as_bytes()));
            RowPage { rows, next }
        }))
    }

    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError> {
        check_limit(query.limit)?;
        let scope = Scope::index(generation, &query.index, query.direction);
        let mut entries = query.range.entries()?;
        let after = query.after.as_deref().map(|cursor| scope.place(cursor)).transpose()?;
        self.with(generation, |table| {
            let Some(index) = table.indexes.get(&query.index) else {
                let known: Vec<&str> = table.indexes.keys().map(String::as_str).collect();
                return Err(RowError::unknown_index(generation, &query.index, &known));
            };
            let start = match (after, query.direction) {
                (Some(place), Direction::Ascending) if place >= entries.from => Bound::Excluded(place),
                (Some(place), Direction::Descending) => {
                    entries.until = entries.until.min(place);
                    Bound::Included(entries.from)
                }
                _ => Bound::Included(entries.from),
            };
            let (Bound::Included(from) | Bound::Excluded(from)) = &start else {
                return Ok(RowPage::default());
            };
            if *from >= entries.until {
                return Ok(RowPage::default());
            }
            let range = index.range::<Vec<u8>, _>((start, Bound::Excluded(entries.until)));
            let admitted = range.filter_map(|(place, key)| {
                let row = table.rows.get(key)?;
                table::field(row, &query.index)
                    .is_some_and(|field| query.range.admits(&field))
                    .then_some((place, row))
            });
            let mut admitted: Box<dyn Iterator<Item = _>> = match query.direction {
                Direction::Ascending => Box::new(admitted),
                Direction::Descending => Box::new(admitted.rev()),
            };
            let page: Vec<_> = admitted.by_ref().take(query.limit).collect();
            let more = admitted.next().is_some();
            let next = page.last().filter(|_| more).map(|(place, _)| scope.cursor(place));
            Ok(RowPage { rows: page.into_iter().map(|(_, row)| row.clone()).collect(), next })
        })
    }

    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        self.with(generation, |table| {
            let before = table.parked.get(&parked.stream);
            if let Some(record) = parked.over(before) {
                table.parked.insert(parked.stream.clone(), record);
            }
        });
        Ok(())
    }

    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        Ok(self.with(generation, |table| match table.parked.get(stream) {
            Some(parked) if parked.first_failing == first_failing => {
                table.parked.remove(stream);
                Written::Done
            }
            _ => Written::Lost,
        }))
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
            let parked = table.parked.range((start, Bound::Unbounded)).take(limit);
            parked.map(|(_, parked)| parked.clone()).collect()
        }))
    }

    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError> {
        entry.check()?;
        self.with(generation, |table| table.audit.push(entry.clone()));
        Ok(())
    }

    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError> {
        check_limit(list.limit)?;
        let scope = Scope::audit(generation);
        let place = list.after.as_deref().map(|cursor| scope.place(cursor)).transpose()?;
        let until = place.and_then(|place| Some(u64::from_be_bytes(place.try_into().ok()?)));
        Ok(self.with(generation, |table| {
            let until = until.map_or(table.audit.len(), |until| usize::try_from(until).unwrap_or(usize::MAX));
            let before = table.audit.get(..until).unwrap_or_default();
            let entries: Vec<_> = before.iter().rev().take(list.limit).cloned().collect();
            let left = before.len() - entries.len();
            AuditPage { entries, next: (left > 0).then(|| scope.cursor(&(left as u64).to_be_bytes())) }
        }))
    }
}
