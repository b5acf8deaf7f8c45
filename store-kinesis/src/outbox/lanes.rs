//! Numbers and marks of one writer. No I/O.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use super::limits::LANES;

/// The number of a commit: unique among all commits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    /// The writer and its lane, as the index has it.
    pub(crate) lane: String,
    /// Rises in the lane.
    pub(crate) value: u64,
}

/// What a writer has given out. A writer is one life of a process: after a takeover it starts another.
pub(crate) struct Lanes {
    id: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lanes: [Lane; LANES],
    given: usize,
    closed: bool,
}

#[derive(Debug, Default)]
struct Lane {
    last: u64,
    open: BTreeSet<u64>,
}

impl Lanes {
    pub(crate) fn new(id: String) -> Self {
        Self { id, state: Mutex::default() }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The next number; nothing when this writer gives out no more.
    pub(crate) fn open(&self) -> Option<Number> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        let place = state.given % LANES;
        state.given = state.given.wrapping_add(1);
        let lane = state.lanes.get_mut(place).expect("a remainder of the number of lanes");
        lane.last += 1;
        let value = lane.last;
        lane.open.insert(value);
        Some(Number { lane: lane_name(&self.id, place), value })
    }

    /// Ends a number: its commit is published or was not written.
    pub(crate) fn finish(&self, number: &Number) {
        let place = number.lane.rsplit('#').next().and_then(|place| place.parse::<usize>().ok());
        let mut state = self.state();
        if let Some(lane) = place.and_then(|place| state.lanes.get_mut(place)) {
            lane.open.remove(&number.value);
        }
    }

    /// Of each lane the number through which everything is finished.
    pub(crate) fn marks(&self) -> [u64; LANES] {
        let state = self.state();
        state.lanes.each_ref().map(|lane| lane.open.first().map_or(lane.last, |lowest| lowest - 1))
    }

    /// How many numbers were given out, and how many of them are open.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.given, state.lanes.iter().map(|lane| lane.open.len()).sum())
    }

    /// Gives out no more, if nothing is open; says whether that is so.
    pub(crate) fn close_if_done(&self) -> bool {
        let mut state = self.state();
        state.closed |= state.lanes.iter().all(|lane| lane.open.is_empty());
        state.closed
    }

    /// Gives out no more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

/// A lane of a writer as the index has it.
pub(crate) fn lane_name(writer: &str, lane: usize) -> String {
    format!("{writer}#{lane}")
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("id", &self.id).field("marks", &self.marks()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mark_stops_below_the_lowest_open_number() {
        let lanes = Lanes::new("w".to_owned());
        let numbers: Vec<_> = (0..LANES * 3).filter_map(|_| lanes.open()).collect();
        assert_eq!(lanes.marks(), [0; LANES]);
        // The second of every lane, then the first.
        numbers[LANES..LANES * 2].iter().for_each(|number| lanes.finish(number));
        assert_eq!(lanes.marks(), [0; LANES]);
        numbers[..LANES].iter().for_each(|number| lanes.finish(number));
        assert_eq!(lanes.marks(), [2; LANES]);
        assert_eq!(lanes.counts(), (LANES * 3, LANES));
        assert!(!lanes.close_if_done());
        numbers.iter().for_each(|number| lanes.finish(number));
        assert_eq!(lanes.marks(), [3; LANES]);
        assert!(lanes.close_if_done());
        assert_eq!(lanes.open(), None);
    }

    proptest! {
        #[test]
        fn no_open_number_is_ever_behind_a_mark(steps in prop::collection::vec(any::<Option<prop::sample::Index>>(), 1..200)) {
            let lanes = Lanes::new("w".to_owned());
            let mut open = Vec::new();
            for step in steps {
                match step {
                    Some(index) if !open.is_empty() => lanes.finish(&open.swap_remove(index.index(open.len()))),
                    _ => open.extend(lanes.open()),
                }
                let marks = lanes.marks();
                for number in &open {
                    let place: usize = number.lane.rsplit('#').next().unwrap().parse().unwrap();
                    prop_assert!(number.value > marks[place]);
                }
                prop_assert_eq!(lanes.counts().1, open.len());
            }
        }
    }
}
