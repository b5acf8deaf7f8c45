//! What a process has seen of operations that others carry out: whether they show life.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::operation::Operation;
use crate::group::limits::EXPIRY;
use crate::group::{ItemKey, Items, Observed};

/// The operations as this process has watched them.
#[derive(Debug, Default)]
pub(super) struct Watched {
    observed: Observed,
    /// Those that were watched showing no life, and the counters at which they stand still. They stay so until they move,
    /// also when nobody looks for a while.
    silent: BTreeMap<Arc<str>, u64>,
    /// Whether any is under way that may be alive.
    pub(super) under_way: bool,
}

impl Watched {
    /// Takes in what was listed just now, and marks those whose process shows no life.
    pub(super) fn look(&mut self, items: &Items, operations: &mut [Operation]) {
        self.observed.look(items, Instant::now());
        let before = std::mem::take(&mut self.silent);
        for one in operations.iter_mut().filter(|one| one.is_under_way()) {
            let still = self.observed.still(&ItemKey::Document(Arc::clone(&one.id)));
            if still >= EXPIRY || before.get(&one.id) == Some(&one.counter) {
                self.silent.insert(Arc::clone(&one.id), one.counter);
                one.silence();
            }
        }
        self.under_way = operations.iter().any(Operation::is_under_way);
    }

    /// Whether the counter of an operation was seen to move lately.
    pub(super) fn is_moving(&self, id: &Arc<str>) -> bool {
        self.observed.is_moving(&ItemKey::Document(Arc::clone(id)))
    }
}
