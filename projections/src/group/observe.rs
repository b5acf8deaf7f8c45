//! Watching counters: how long each has stood still, on the observer's own monotonic clock.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::limits::{EXPIRY, RENEW_EVERY, ROUND, WATCHING};
use super::{ItemKey, Items};

/// What an observer has seen so far.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    seen: HashMap<ItemKey, Seen>,
    last: Option<Instant>,
}

/// What was seen of one counter.
#[derive(Debug, Clone, Copy)]
struct Seen {
    counter: u64,
    since: Instant,
    /// Whether it was seen to move.
    moved: bool,
}

impl Observed {
    /// Takes in what was listed just now.
    pub(crate) fn look(&mut self, items: &Items, now: Instant) {
        let watching = self.last.is_some_and(|last| now.duration_since(last) <= WATCHING);
        let mut before = std::mem::take(&mut self.seen);
        for (key, counter) in items.counters() {
            let new = Seen { counter, since: now, moved: false };
            let seen = match before.remove(&key).filter(|_| watching) {
                Some(known) if known.counter == counter => known,
                Some(_) => Seen { moved: true, ..new },
                None => new,
            };
            self.seen.insert(key, seen);
        }
        self.last = Some(now);
    }

    /// How long the counter of an item has been watched standing still.
    pub(crate) fn still(&self, key: &ItemKey) -> Duration {
        let Some(seen) = self.seen.get(key) else { return Duration::ZERO };
        self.last.map_or(Duration::ZERO, |last| last.duration_since(seen.since))
    }

    /// Whether the counter of an item was seen to move lately.
    pub(crate) fn is_moving(&self, key: &ItemKey) -> bool {
        self.seen.get(key).is_some_and(|seen| seen.moved) && self.still(key) < EXPIRY
    }

    /// Whether the worker of this item shows life. Of one that has not shown any yet less patience is asked, or who has
    /// just joined would leave a share to those that died before.
    pub(crate) fn is_alive(&self, key: &ItemKey) -> bool {
        let moved = self.seen.get(key).is_some_and(|seen| seen.moved);
        self.still(key) < if moved { EXPIRY } else { RENEW_EVERY + 2 * ROUND }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Worker, WorkerId};
    use super::*;

    #[test]
    fn only_a_counter_that_was_watched_counts_as_standing_still() {
        let id = WorkerId("w".into());
        let key = ItemKey::Worker(id.clone());
        let start = Instant::now();
        let mut observed = Observed::default();
        let mut look = |counter, at| {
            let worker = Worker { id: id.clone(), counter, asks: None };
            let mut items = Items::default();
            items.insert(worker.into());
            observed.look(&items, start + Duration::from_secs(at));
            observed.still(&key).as_secs()
        };
        assert_eq!([look(1, 0), look(1, 2), look(1, 4)], [0, 2, 4]);
        assert_eq!([look(2, 5), look(2, 6)], [0, 1], "it moved");
        assert_eq!([look(2, 60), look(2, 61)], [0, 1], "nobody watched for a while");
        assert_eq!([look(1, 62), look(1, 63)], [0, 1], "whatever it moved to");
    }

    #[test]
    fn a_worker_is_alive_while_its_counter_moves_and_one_that_never_moved_only_shortly() {
        let id = WorkerId("w".into());
        let key = ItemKey::Worker(id.clone());
        let start = Instant::now();
        let alive = |counters: &[u64]| {
            let mut observed = Observed::default();
            for (at, counter) in (0..).zip(counters) {
                let mut items = Items::default();
                items.insert(Worker { id: id.clone(), counter: *counter, asks: None }.into());
                observed.look(&items, start + Duration::from_secs(at));
            }
            observed.is_alive(&key)
        };
        assert!(alive(&[1]) && alive(&[1, 1, 1]));
        assert!(!alive(&[1, 1, 1, 1]), "nothing moved for three seconds");
        assert!(
            alive(&[1, 1, 2, 2, 2, 2, 2, 2]) && !alive(&[1, 1, 2, 2, 2, 2, 2, 2, 2]),
            "six when it moved"
        );
    }
}
