//! The switch from one generation of rows to the next (L9).
//!
//! One record says which generation answers queries. A rebuild makes a new generation beside it, verifies it, and switches
//! by one write that is conditional on the record it has seen. Two operators work at once: each may rebuild, switch, roll
//! back and drop. Queries go to the generation of the record, at every moment.

use std::collections::BTreeMap;

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// The switch has no condition.
    NoCondition,
    /// The switch comes before the rows were verified.
    NotVerified,
    /// The old rows are torn down first.
    TearsDownFirst,
    /// A generation is dropped by what was seen a while ago.
    DropsOnHearsay,
    /// The rebuild writes into the live generation.
    RebuildsInPlace,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Switching {
    /// Generations that may be made besides the first.
    pub rebuilds: u8,
    /// Writes of the record.
    pub writes: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rows {
    /// Being folded: a part is there.
    Building,
    /// Whole, as far as its builder knows.
    Built,
    /// Compared with the ledger.
    Verified,
    /// Not there.
    Gone,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    generations: BTreeMap<u8, Rows>,
    live: u8,
    /// The one a rollback goes to.
    before: Option<u8>,
    counter: u8,
    operators: [Operator; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Operator {
    /// The record as it was seen: live, before, counter.
    seen: Option<(u8, Option<u8>, u8)>,
    building: Option<u8>,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An operator reads the record.
    Look(usize),
    /// It begins a generation.
    Build(usize),
    /// All rows are written.
    Built(usize),
    /// They are as the ledger says.
    Verified(usize),
    /// It switches to what it built.
    Switch(usize),
    /// It goes back to the generation before.
    Rollback(usize),
    /// It drops what is neither live nor kept.
    Drop(usize, u8),
}

impl Switching {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let (rebuilds, writes) = match size {
            Size::Small => (2, 4),
            Size::Large => (4, 8),
        };
        vec![Self { rebuilds, writes, mutation }]
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// The one conditional write.
    fn write(&self, state: &mut State, number: usize, live: u8, before: Option<u8>) -> Option<bool> {
        let operator = state.operators.get_mut(number)?;
        let holds = operator.seen.is_some_and(|(_, _, counter)| counter == state.counter);
        operator.seen = None;
        if !holds && !self.broken(Mutation::NoCondition) {
            return Some(false);
        }
        (state.live, state.before, state.counter) = (live, before, state.counter + 1);
        Some(true)
    }
}

impl Model for Switching {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let operator = Operator { seen: None, building: None };
        vec![State {
            generations: BTreeMap::from([(1, Rows::Verified)]),
            live: 1,
            before: None,
            counter: 1,
            operators: [operator; 2],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.counter > self.writes {
            return;
        }
        for (number, operator) in state.operators.iter().enumerate() {
            if operator.seen.is_none() {
                actions.push(Action::Look(number));
            }
            match operator.building.and_then(|at| state.generations.get(&at)) {
                None if state.generations.len() <= usize::from(self.rebuilds) => {
                    actions.push(Action::Build(number));
                }
                Some(Rows::Building) => actions.push(Action::Built(number)),
                Some(Rows::Built) => {
                    actions.push(Action::Verified(number));
                    if self.broken(Mutation::NotVerified) && operator.seen.is_some() {
                        actions.push(Action::Switch(number));
                    }
                }
                Some(Rows::Verified) if operator.seen.is_some() => actions.push(Action::Switch(number)),
                _ => {}
            }
            let Some((live, before, _)) = operator.seen else { continue };
            if before.is_some() {
                actions.push(Action::Rollback(number));
            }
            let idle = |at: &&u8| {
                state.operators.iter().all(|operator| operator.building != Some(**at))
                    && **at != live
                    && Some(**at) != before
            };
            actions.extend(state.generations.keys().filter(idle).map(|at| Action::Drop(number, *at)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Look(number) => {
                let seen = (state.live, state.before, state.counter);
                state.operators.get_mut(number)?.seen = Some(seen);
            }
            Action::Build(number) => {
                let mut at = state.generations.keys().max()? + 1;
                if self.broken(Mutation::RebuildsInPlace) {
                    at = state.live;
                }
                if self.broken(Mutation::TearsDownFirst) {
                    let live = state.live;
                    state.generations.insert(live, Rows::Gone);
                }
                state.generations.insert(at, Rows::Building);
                state.operators.get_mut(number)?.building = Some(at);
            }
            Action::Built(number) => {
                let at = state.operators.get(number)?.building?;
                state.generations.insert(at, Rows::Built);
            }
            Action::Verified(number) => {
                let at = state.operators.get(number)?.building?;
                state.generations.insert(at, Rows::Verified);
            }
            Action::Switch(number) => {
                let operator = state.operators.get(number)?;
                let ((live, ..), to) = (operator.seen?, operator.building?);
                if self.write(&mut state, number, to, Some(live))? {
                    state.operators.get_mut(number)?.building = None;
                }
            }
            Action::Rollback(number) => {
                let (live, before, _) = state.operators.get(number)?.seen?;
                self.write(&mut state, number, before?, Some(live))?;
            }
            Action::Drop(number, at) => {
                // Kept as a write under the record's counter, so that nobody goes back to it meanwhile.
                let (live, before, _) = state.operators.get(number)?.seen?;
                if self.broken(Mutation::DropsOnHearsay) || self.write(&mut state, number, live, before)? {
                    state.generations.insert(at, Rows::Gone);
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let whole = |_: &Self, state: &State| {
            let live = state.generations.get(&state.live);
            live == Some(&Rows::Verified)
        };
        vec![
            Property::always("queries meet whole and verified rows at every moment", whole),
            Property::always("a rollback has somewhere to go", |_, state: &State| {
                state.before.is_none_or(|before| state.generations.get(&before) == Some(&Rows::Verified))
            }),
            Property::sometimes("a rebuild is live", |_, state: &State| state.live > 1),
            Property::sometimes("a switch was taken back", |_, state: &State| {
                state.live == 1 && state.before == Some(2)
            }),
        ]
    }
}
