//! The directory of a process: which generation of each projection answers, as far as it knows.
//!
//! It learns with every look that a runner takes at its group, and looks for itself when it is asked about a projection
//! it knows nothing of. What it knows may be out of date for a round; it never goes back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::group::{Generations, LeaseError, LeaseStore};

type Known = BTreeMap<Arc<str>, Generations>;

/// What a process knows of generations.
#[derive(Debug)]
pub(crate) struct Directory {
    place: Mutex<Place>,
    known: watch::Sender<Known>,
}

/// Where it looks.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) store: Arc<dyn LeaseStore>,
    pub(crate) group: Arc<str>,
}

impl Directory {
    pub(crate) fn new(place: Place) -> Self {
        Self { place: Mutex::new(place), known: watch::Sender::default() }
    }

    pub(crate) fn place(&self) -> Place {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks elsewhere from now on; nothing is known any more.
    pub(crate) fn look_at(&self, place: Place) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
        self.known.send_replace(Known::default());
    }

    /// Takes in what was seen. What is older than what is known is not.
    pub(crate) fn learn(&self, seen: &Known) {
        self.known.send_if_modified(|known| {
            let mut changed = false;
            for (projection, seen) in seen {
                if known.get(projection).is_none_or(|known| known.counter < seen.counter) {
                    known.insert(Arc::clone(projection), seen.clone());
                    changed = true;
                }
            }
            changed
        });
    }

    /// Ready when something about generations has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }

    /// The generations of a projection; of one that was never deployed, what its first deployment would make.
    ///
    /// # Cost
    /// Nothing, once they are known.
    pub(crate) async fn of(&self, projection: &str, version: u32) -> Result<Generations, LeaseError> {
        if let Some(known) = self.known.borrow().get(projection) {
            return Ok(known.clone());
        }
        self.look(projection, version).await
    }

    /// The same, looked at anew.
    pub(crate) async fn look(&self, projection: &str, version: u32) -> Result<Generations, LeaseError> {
        let Place { store, group } = self.place();
        let seen = store.list(&group).await?.generations;
        self.learn(&seen);
        let known = self.known.borrow().get(projection).cloned();
        Ok(known.unwrap_or_else(|| Generations::first(projection, version)))
    }
}
