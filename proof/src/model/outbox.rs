//! From ledger to feed (L4): `store-kinesis/src/outbox/`.
//!
//! One writer, which may die or fall asleep at any moment, with a number for each commit; one other process that takes it
//! over. The index that finds what a writer left is late: an entry shows up at any time after its commit.
//!
//! Where the code leans on time: the passes over a dead writer go on for an hour, and only the last one removes the
//! record. So the model lets the last pass, and no other, wait until the index has caught up, nothing the writer has sent
//! is still on its way, and no number of a sleeper is open. A sleeper that has nothing open may sleep for longer: it saves
//! its marks before it gives out another number.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// A mark is the highest number given out, not the one below the lowest open.
    MarkPassesOpen,
    /// A commit gets its number after it is written: behind a mark that was saved before.
    NumberEndsBeforePublish,
    /// A write whose answer was lost counts as not written.
    NoDoubts,
    /// The record is removed after the first pass, without the wait.
    NoWait,
    /// A pass moves the marks over what it saw.
    PassMovesMarks,
    /// A writer that finds that it was taken for dead goes on.
    TakeoverIgnored,
    /// A writer that slept gives out a number before it has looked at its record.
    NotConfirmed,
    /// A writer that stops removes its record although something is open.
    StopForgets,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Outbox {
    /// Commits of the writer.
    pub commits: u8,
    /// Passes over what it left.
    pub passes: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The writer's process; none when it is dead.
    alive: bool,
    /// It gives out no more numbers.
    closed: bool,
    /// It has slept for an hour and not looked at its record since.
    overslept: bool,
    /// Numbers given out, and those of them that are open.
    given: u8,
    open: BTreeSet<u8>,
    /// What is known of each open number.
    unsent: BTreeSet<u8>,
    written_unpublished: BTreeSet<u8>,
    doubts: BTreeSet<u8>,
    /// Writes on their way.
    network: BTreeSet<u8>,
    ledger: BTreeSet<u8>,
    index: BTreeSet<u8>,
    feed: BTreeSet<u8>,
    record: Option<Record>,
    /// Whether the other process has seen the record and it has not moved since.
    still: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Record {
    mark: u8,
    passes: u8,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The writer gives a number to a commit.
    Open,
    /// It sends the write.
    Send(u8),
    /// The write arrives; whether the answer does.
    Arrive(u8, bool),
    /// The write is lost on the way.
    Vanish(u8),
    /// The index shows a commit.
    Index(u8),
    /// Kinesis has taken a commit of the writer.
    Publish(u8),
    /// The writer looks for a commit in doubt.
    Look(u8),
    /// It saves its mark.
    Save,
    /// It stops in good order.
    Stop,
    /// It is killed.
    Die,
    /// The other process looks at the record.
    Watch,
    /// It has seen the record stand still: claims a pass and makes it.
    Pass,
}

impl Outbox {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let (commits, passes) = match size {
            Size::Small => (3, 3),
            Size::Large => (5, 3),
        };
        vec![Self { commits, passes, mutation }]
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn mark(&self, state: &State) -> u8 {
        match state.open.first() {
            Some(lowest) if !self.broken(Mutation::MarkPassesOpen) => lowest - 1,
            _ => state.given,
        }
    }

    /// Saves the mark under the condition that nobody has claimed a pass: only the writer itself moves the counter before.
    fn save(&self, state: &mut State) {
        let mark = self.mark(state);
        match &mut state.record {
            Some(record) if record.passes == 0 => {
                record.mark = mark;
                state.still = false;
            }
            _ => state.closed = !self.broken(Mutation::TakeoverIgnored),
        }
        state.overslept = false;
    }

    fn pass(&self, state: &mut State) {
        let Some(record) = &mut state.record else { return };
        record.passes += 1;
        let (mark, passes) = (record.mark, record.passes);
        let found: Vec<u8> = state.index.range(mark + 1..).copied().collect();
        if self.broken(Mutation::PassMovesMarks) {
            record.mark = found.last().copied().unwrap_or(mark);
        }
        state.feed.extend(found);
        state.still = false;
        if passes >= self.passes || self.broken(Mutation::NoWait) {
            state.record = None;
            state.overslept = state.alive;
        }
    }

    /// Whether the last pass may be made: an hour has gone by.
    fn hour_is_over(&self, state: &State) -> bool {
        let last = state.record.is_some_and(|record| record.passes + 1 >= self.passes);
        let settled = state.network.is_empty() && state.index == state.ledger && state.open.is_empty();
        !last || settled
    }
}

impl Model for Outbox {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let none = BTreeSet::new;
        vec![State {
            alive: true,
            closed: false,
            overslept: false,
            given: 0,
            open: none(),
            unsent: none(),
            written_unpublished: none(),
            doubts: none(),
            network: none(),
            ledger: none(),
            index: none(),
            feed: none(),
            record: Some(Record { mark: 0, passes: 0 }),
            still: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.alive {
            actions.push(Action::Die);
            let confirmed = !state.overslept || self.broken(Mutation::NotConfirmed);
            if state.given < self.commits && !state.closed && confirmed {
                actions.push(Action::Open);
            }
            actions.extend(state.unsent.iter().copied().map(Action::Send));
            actions.extend(state.written_unpublished.iter().copied().map(Action::Publish));
            actions.extend(state.doubts.iter().copied().map(Action::Look));
            if !state.closed {
                actions.push(Action::Stop);
                let moves =
                    state.record.is_none_or(|record| record.passes > 0 || record.mark != self.mark(state));
                if moves || state.still {
                    actions.push(Action::Save);
                }
            }
        }
        for number in &state.network {
            let way =
                [Action::Arrive(*number, true), Action::Arrive(*number, false), Action::Vanish(*number)];
            actions.extend(way);
        }
        actions.extend(state.ledger.difference(&state.index).copied().map(Action::Index));
        if state.record.is_some() {
            if !state.still {
                actions.push(Action::Watch);
            } else if self.hour_is_over(state) || self.broken(Mutation::NoWait) {
                actions.push(Action::Pass);
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Open => {
                state.given += 1;
                state.open.insert(state.given);
                state.unsent.insert(state.given);
            }
            Action::Send(number) => {
                state.unsent.remove(&number);
                state.network.insert(number);
            }
            Action::Arrive(number, answered) => {
                state.network.remove(&number);
                state.ledger.insert(number);
                match (state.alive, answered) {
                    (false, _) => {}
                    (true, true) => drop(state.written_unpublished.insert(number)),
                    (true, false) if self.broken(Mutation::NoDoubts) => drop(state.open.remove(&number)),
                    (true, false) => drop(state.doubts.insert(number)),
                }
                if self.broken(Mutation::NumberEndsBeforePublish) {
                    state.open.remove(&number);
                }
            }
            Action::Vanish(number) => {
                state.network.remove(&number);
                if state.alive {
                    state.doubts.insert(number);
                }
            }
            Action::Index(number) => drop(state.index.insert(number)),
            Action::Publish(number) => {
                state.written_unpublished.remove(&number);
                state.feed.insert(number);
                state.open.remove(&number);
            }
            Action::Look(number) => {
                state.doubts.remove(&number);
                if state.ledger.contains(&number) {
                    state.written_unpublished.insert(number);
                } else {
                    // Given up after the last look only, when it cannot arrive any more.
                    state.open.remove(&number);
                }
            }
            Action::Save => self.save(&mut state),
            Action::Stop => {
                state.closed = true;
                let settled = state.open.is_empty() || self.broken(Mutation::StopForgets);
                match state.record {
                    Some(record) if record.passes == 0 && settled => state.record = None,
                    _ => self.save(&mut state),
                }
                state.alive = false;
            }
            Action::Die => state.alive = false,
            Action::Watch => state.still = true,
            Action::Pass => self.pass(&mut state),
        }
        if !state.alive {
            // What only the process knew is gone with it.
            for memory in
                [&mut state.open, &mut state.unsent, &mut state.written_unpublished, &mut state.doubts]
            {
                memory.clear();
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no commit is behind a mark and not on the feed", |_, state: &State| {
                let mark = state.record.map_or(0, |record| record.mark);
                state
                    .ledger
                    .range(..=mark)
                    .all(|number| state.feed.contains(number) || state.written_unpublished.contains(number))
            }),
            Property::always(
                "when a record is gone everything it stood for is published",
                |_, state: &State| {
                    let kept = |number: &u8| {
                        state.feed.contains(number)
                            || state.written_unpublished.contains(number)
                            || state.doubts.contains(number)
                    };
                    state.record.is_some() || state.ledger.iter().all(kept)
                },
            ),
            Property::always("nothing reaches the feed that is not in the ledger", |_, state: &State| {
                state.feed.is_subset(&state.ledger)
            }),
            Property::sometimes("a dead writer is taken over to the end", |model: &Self, state: &State| {
                !state.alive && state.record.is_none() && state.feed.len() == usize::from(model.commits)
            }),
        ]
    }
}
