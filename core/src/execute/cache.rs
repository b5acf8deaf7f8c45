//! The state cache: folded streams, bounded by number, shared by all tasks of an executor.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use super::fold::Fold;
use crate::{Aggregate, StreamName};

/// A folded stream that tasks share.
pub(super) struct Shared<A> {
    /// The name as it was first heard of: the commits of a stream share it, so it is there once, and the same at one look.
    pub(super) stream: StreamName,
    /// Locked only while rules run, never across a request.
    fold: Mutex<Fold<A>>,
}

impl<A: Aggregate> Shared<A> {
    pub(super) fn new(stream: &StreamName, fold: Fold<A>) -> Arc<Self> {
        Arc::new(Self { stream: stream.clone(), fold: Mutex::new(fold) })
    }

    /// Locks the fold. One that a panic or an undecodable event has torn starts again from nothing: the next append then
    /// conflicts and catches up. A panic in `decide` tears nothing.
    pub(super) fn lock(&self) -> MutexGuard<'_, Fold<A>> {
        let mut fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        if fold.is_torn() {
            *fold = Fold::default();
        }
        fold
    }
}

/// Folded streams by name.
pub(super) struct StateCache {
    folds: Cache<StreamName, Arc<dyn Any + Send + Sync>>,
}

impl StateCache {
    pub(super) fn new(streams: usize) -> Self {
        Self { folds: Cache::new(streams) }
    }

    pub(super) fn get<A: Aggregate>(&self, stream: &StreamName) -> Option<Arc<Shared<A>>> {
        self.folds.get(stream)?.downcast().ok()
    }

    pub(super) fn insert<A: Aggregate>(&self, shared: &Arc<Shared<A>>) {
        self.folds.insert(shared.stream.clone(), Arc::clone(shared) as Arc<dyn Any + Send + Sync>);
    }

    pub(super) fn remove(&self, stream: &StreamName) {
        self.folds.remove(stream);
    }
}

impl fmt::Debug for StateCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCache").field("streams", &self.folds.len()).finish()
    }
}
