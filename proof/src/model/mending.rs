//! Parked streams that are tried again (L6, L7): `projections/src/runner/lane.rs`, `mender.rs`, and the records of row
//! stores.
//!
//! One stream whose second version could not be applied is parked. Two lanes read its later events, one of them still with
//! the code that fails; menders with corrected code try the stream again. A later version cannot be applied by any of
//! them. Each loads before it writes, anything may happen in between, and a mender may be killed after any step. What a
//! lane has passed must be in the row or waited for by a record, at every moment: a record is what is looked at again.
//!
//! The code looks at the ledger once more after the record is out. The model does without, and a mender that is killed
//! right then leaves nothing behind: a record is void once the row is past it, so nobody counts on it any more, and what
//! was counted on it before lay in the ledger before the row was written.

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// A record that failed further on takes the place of another with less seen.
    HighestGoesBack,
    /// The record is taken out after the row was written, without another look at the ledger.
    NotReadAgain,
    /// A record is taken out although the stream failed again further on.
    FirstFailingIgnored,
    /// An event of a parked stream is let go without raising the record.
    NotRaised,
    /// A record whose first version was applied by others is thrown away, whatever waits behind it.
    VoidIsForgotten,
    /// The row is written whatever is there.
    NoRowCondition,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Mending {
    /// Versions of the stream in the end.
    pub versions: u8,
    /// How often a mender begins.
    pub menders: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    ledger: u8,
    /// Versions applied, each once and in order: their number. 100 is a row that was torn.
    row: u8,
    record: Option<Record>,
    lanes: [Lane; 2],
    mender: Option<Mender>,
    begun: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Record {
    first: u8,
    highest: u8,
}

/// A lane: the first with corrected code, the second with the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Lane {
    done: u8,
    loaded: Option<(u8, Option<Record>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Mender {
    version: u8,
    record: Record,
    /// What it has read of the ledger beyond that.
    until: Option<u8>,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The stream gets another event.
    Append,
    /// A lane loads what is stored of the stream.
    Load(usize),
    /// It does what follows from that for its next event.
    Act(usize),
    /// A mender begins.
    Begin,
    /// It reads the ledger.
    Read,
    /// It writes the row.
    Write,
    /// It has come to the end, and takes out the record.
    Unpark,
    /// It is killed.
    Kill,
}

/// What the old code cannot apply.
const POISON: u8 = 2;
/// What nobody can apply.
const HARD: u8 = 4;

impl Mending {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let (versions, menders) = match size {
            Size::Small => (5, 2),
            Size::Large => (9, 5),
        };
        vec![Self { versions, menders, mutation }]
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn act(&self, state: &mut State, number: usize) -> Option<()> {
        let (old_code, goes_back) = (number == 1, self.broken(Mutation::HighestGoesBack));
        let lane = state.lanes.get_mut(number)?;
        let (version, record) = lane.loaded.take()?;
        let next = lane.done + 1;
        // A record that another owner has got past is void.
        let parked = record.filter(|record| record.first > version);
        match parked {
            Some(_) if self.broken(Mutation::NotRaised) => lane.done = next,
            Some(Record { first, highest }) => {
                state.keep(Record { first, highest: highest.max(next) }, goes_back);
                state.lanes.get_mut(number)?.done = next;
            }
            None if version >= next => lane.done = next,
            None if version + 1 == HARD || (old_code && version + 1 == POISON) => {
                lane.done = next;
                state.keep(Record { first: version + 1, highest: next }, goes_back);
            }
            None => {
                // It comes as far as before what it cannot apply, and is asked again.
                let until = if old_code && version < POISON { POISON - 1 } else { next.min(HARD - 1) };
                if self.write(state, version, until) && until == next {
                    state.lanes.get_mut(number)?.done = next;
                }
            }
        }
        Some(())
    }

    /// Writes the row if it stands where it was read.
    fn write(&self, state: &mut State, known: u8, until: u8) -> bool {
        let holds = state.row == known;
        if holds || self.broken(Mutation::NoRowCondition) {
            // A row that was written over a newer one has events twice.
            state.row = if holds { until } else { 100 };
        }
        if self.broken(Mutation::VoidIsForgotten)
            && state.record.is_some_and(|record| record.first <= state.row)
        {
            state.record = None;
        }
        holds
    }
}

impl State {
    /// Keeps a record as row stores do: the one that failed further on stays, and what was seen is never less than before.
    fn keep(&mut self, record: Record, highest_goes_back: bool) {
        self.record = match self.record {
            Some(before) if highest_goes_back && before.first < record.first => Some(record),
            Some(before) if highest_goes_back && before.first > record.first => Some(before),
            Some(before) => Some(Record {
                first: before.first.max(record.first),
                highest: before.highest.max(record.highest),
            }),
            None => Some(record),
        };
    }
}

impl Model for Mending {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let lane = Lane { done: POISON, loaded: None };
        let record = Some(Record { first: POISON, highest: POISON });
        vec![State { ledger: POISON, row: POISON - 1, record, lanes: [lane; 2], mender: None, begun: 0 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.ledger < self.versions {
            actions.push(Action::Append);
        }
        for (number, lane) in state.lanes.iter().enumerate() {
            match lane.loaded {
                None if lane.done < state.ledger => actions.push(Action::Load(number)),
                None => {}
                Some(_) => actions.push(Action::Act(number)),
            }
        }
        match state.mender {
            None if state.begun < self.menders && state.record.is_some() => actions.push(Action::Begin),
            None => {}
            Some(mender) => actions.extend([
                match mender.until {
                    None => Action::Read,
                    Some(until) if until > mender.version => Action::Write,
                    Some(_) => Action::Unpark,
                },
                Action::Kill,
            ]),
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Append => state.ledger += 1,
            Action::Load(number) => {
                state.lanes.get_mut(number)?.loaded = Some((state.row, state.record));
            }
            Action::Act(number) => self.act(&mut state, number)?,
            Action::Begin => {
                state.begun += 1;
                state.mender = Some(Mender { version: state.row, record: state.record?, until: None });
            }
            Action::Read => state.mender.as_mut()?.until = Some(state.ledger),
            Action::Write => {
                let mender = state.mender?;
                let until = mender.until?;
                if mender.version + 1 == HARD {
                    let goes_back = self.broken(Mutation::HighestGoesBack);
                    state.keep(Record { first: HARD, highest: until }, goes_back);
                    state.mender = None;
                    return Some(state);
                }
                let reach = until.min(HARD - 1);
                let version = if self.write(&mut state, mender.version, reach) { reach } else { state.row };
                let until = self.broken(Mutation::NotReadAgain).then_some(version);
                state.mender = Some(Mender { version, until, ..mender });
            }
            Action::Unpark => {
                let mender = state.mender?;
                let same = state.record.is_some_and(|there| there.first == mender.record.first);
                if same || self.broken(Mutation::FirstFailingIgnored) {
                    state.record = None;
                }
                state.mender = None;
            }
            Action::Kill => state.mender = None,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what was passed is in the row or waited for", |_, state: &State| {
                let waits = state.record.map_or(0, |record| record.highest);
                state.lanes.iter().all(|lane| lane.done <= state.row.max(waits))
            }),
            Property::always("a row has its events once each", |_, state: &State| state.row <= state.ledger),
            Property::sometimes("the stream is mended", |_, state: &State| {
                state.row == HARD - 1 && state.record.is_none()
            }),
            Property::sometimes("it is parked again further on", |model: &Self, state: &State| {
                state.ledger == model.versions && state.record.is_some_and(|record| record.first == HARD)
            }),
        ]
    }
}
