//! Leases in memory: for tests, and for a group of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Item, ItemKey, Items, LeaseError, LeaseStore, Saved};

/// A lease store that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryLeases {
    groups: Mutex<HashMap<String, Items>>,
}

impl MemoryLeases {
    /// A store without groups.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No code of others runs under this lock, so a poisoned one still holds whole data.
    fn groups(&self) -> MutexGuard<'_, HashMap<String, Items>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items {
    fn get(&self, key: &ItemKey) -> Option<Item> {
        match key {
            ItemKey::Worker(id) => self.workers.get(id).cloned().map(Item::Worker),
            ItemKey::Lease(partition) => self.leases.get(partition).cloned().map(Item::Lease),
            ItemKey::Generations(projection) => {
                self.generations.get(projection).cloned().map(Item::Generations)
            }
            ItemKey::CatchUp => self.catch_up.clone().map(Item::CatchUp),
            ItemKey::Document(name) => self.documents.get(name).cloned().map(Item::Document),
        }
    }
}

#[async_trait]
impl LeaseStore for MemoryLeases {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        Ok(self.groups().get(group).cloned().unwrap_or_default())
    }

    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        let mut groups = self.groups();
        let items = groups.entry(group.to_owned()).or_default();
        let there = items.get(&item.key());
        if there.as_ref().map(Item::counter) != counter {
            return Ok(Saved::Lost(there.map(Box::new)));
        }
        items.insert(item.clone());
        Ok(Saved::Done)
    }

    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        let mut groups = self.groups();
        let Some(items) = groups.get_mut(group) else { return Ok(Saved::Done) };
        match items.get(key) {
            Some(there) if there.counter() != counter => return Ok(Saved::Lost(Some(Box::new(there)))),
            _ => {}
        }
        match key {
            ItemKey::Worker(id) => drop(items.workers.remove(id)),
            ItemKey::Lease(partition) => drop(items.leases.remove(partition)),
            ItemKey::Generations(projection) => drop(items.generations.remove(projection)),
            ItemKey::CatchUp => items.catch_up = None,
            ItemKey::Document(name) => drop(items.documents.remove(name)),
        }
        Ok(Saved::Done)
    }
}
