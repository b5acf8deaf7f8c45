//! Two projections of counters: a row for each counter, and rows shared by many of them.

use headwater::Recorded;
use headwater::testing::counter::{Counter, CounterEvent};
use headwater_projections::{Keys, Project};
use serde::{Deserialize, Serialize};

/// How often each counter changed, and where that leads.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "counted", version = 1, from(Counter))]
pub(crate) struct Counted {
    pub(crate) changes: u64,
    pub(crate) value: i64,
    /// Of every change something that does not commute: what was applied twice, or in another order, shows.
    pub(crate) trace: i64,
}

impl Project<Counter> for Counted {
    fn apply(&mut self, event: &Recorded<'_, CounterEvent>) {
        let change = change(event.event);
        self.changes += 1;
        self.value += change;
        self.trace = self.trace.wrapping_mul(31).wrapping_add(change);
    }
}

/// The changes of all counters whose ids end in the same character.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "by-ending", version = 1, shared, from(Counter))]
pub(crate) struct ByEnding {
    pub(crate) changes: u64,
    pub(crate) value: i64,
}

impl Project<Counter> for ByEnding {
    fn keys(event: &Recorded<'_, CounterEvent>) -> Keys {
        let id = event.stream.id();
        Keys::one(&id[id.len() - 1..])
    }

    fn apply(&mut self, event: &Recorded<'_, CounterEvent>) {
        self.changes += 1;
        self.value += change(event.event);
    }
}

pub(crate) fn change(event: &CounterEvent) -> i64 {
    match event {
        CounterEvent::Added { amount } => i64::try_from(*amount).unwrap(),
        CounterEvent::Subtracted { amount } => -i64::try_from(*amount).unwrap(),
    }
}
