//! Appends that race on one stream (L1, L3): `store-kinesis/src/ledger/place.rs` and `append.rs`.
//!
//! Each writer is a process of its own, with its own memory of where commits end, and has one commit to append. What it
//! sends may arrive at any later time, also when it has given up waiting; an answer may be lost; the client asks again
//! with the same commit. A writer may have heard a version from anywhere: also one at which no commit ends.

use std::collections::{BTreeMap, BTreeSet};

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// The write has no condition.
    NoCondition,
    /// A version is taken for the end of a commit because the client says so.
    UnverifiedBoundary,
    /// The item that a failed condition hands over is not compared with the own commit.
    NoOwnRetry,
    /// A second try that expects no version does not look for the first.
    NoSearch,
    /// A write without an answer counts as written.
    SilenceIsSuccess,
}

/// What a writer expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// This version; 0 is "no stream yet".
    Exact(u8),
    /// Whatever there is.
    Any,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Appends {
    /// For each writer what it expects, and how many events its commit has.
    pub writers: Vec<(Wish, u8)>,
    /// How often the SDK sends a request whose answer did not come, and the client a command of unknown outcome.
    pub again: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// By first version: whose commit, how many events. A write without a condition replaces one.
    ledger: BTreeMap<u8, (usize, u8)>,
    writers: Vec<Writer>,
    /// Requests that have not arrived, and how many alike: writer and first version.
    network: BTreeMap<(usize, u8), u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Writer {
    ends: BTreeSet<u8>,
    phase: Phase,
    sent: u8,
    asked: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    New,
    Placed(u8),
    Waiting(u8),
    Unknown,
    Stored,
    Refused,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A writer looks where its commit goes.
    Place(usize),
    /// It sends the write.
    Send(usize),
    /// A write arrives; whether its answer does.
    Arrive((usize, u8), bool),
    /// The writer stops waiting; whether the SDK sends it again.
    GiveUp(usize, bool),
    /// The client asks again.
    AskAgain(usize),
}

impl Appends {
    /// The models in a size: several casts of writers.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        use Wish::{Any, Exact};
        let casts: &[(&[(Wish, u8)], u8)] = match size {
            Size::Small => &[
                (&[(Exact(0), 2), (Exact(1), 1)], 1),
                (&[(Exact(0), 2), (Any, 1)], 1),
                (&[(Any, 1), (Any, 2)], 1),
                (&[(Exact(0), 2), (Exact(1), 1), (Any, 1)], 0),
            ],
            Size::Large => &[
                (&[(Exact(0), 2), (Exact(1), 1), (Any, 1)], 1),
                (&[(Any, 1), (Any, 2), (Exact(2), 1)], 1),
                (&[(Any, 1), (Any, 2)], 2),
            ],
        };
        let model = |(writers, again): &(&[(Wish, u8)], u8)| Self {
            writers: writers.to_vec(),
            again: *again,
            mutation,
        };
        casts.iter().map(model).collect()
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn wish(&self, writer: usize) -> (Wish, u8) {
        self.writers.get(writer).copied().unwrap_or((Wish::Any, 1))
    }

    fn place(&self, state: &mut State, writer: usize) -> Option<()> {
        let head = state.head();
        let wish = self.wish(writer).0;
        let second_try = state.writers.get(writer)?.asked > 0;
        let own = state.find(writer);
        let me = state.writers.get_mut(writer)?;
        me.phase = match wish {
            Wish::Exact(known)
                if known == 0 || me.ends.contains(&known) || self.broken(Mutation::UnverifiedBoundary) =>
            {
                Phase::Placed(known + 1)
            }
            Wish::Exact(known) if head == known => Phase::Placed(known + 1),
            Wish::Exact(known) if own == Some(known + 1) => Phase::Stored,
            Wish::Exact(_) => Phase::Refused,
            Wish::Any if own.is_some() && !(second_try && self.broken(Mutation::NoSearch)) => Phase::Stored,
            Wish::Any => Phase::Placed(head + 1),
        };
        me.ends.insert(head);
        Some(())
    }

    fn arrive(&self, state: &mut State, request: (usize, u8), answered: bool) -> Option<()> {
        let (writer, first) = request;
        *state.network.get_mut(&request)? -= 1;
        let there = state.ledger.get(&first).copied();
        let events = self.wish(writer).1;
        if there.is_none() || self.broken(Mutation::NoCondition) {
            state.ledger.insert(first, (writer, events));
        }
        let later = |end: u8| {
            let marks = state.ledger.range(end + 1..);
            marks.map(|(first, (owner, events))| (*owner, first + events - 1)).collect::<Vec<_>>()
        };
        let after = there.map(|(_, events)| later(first + events - 1)).unwrap_or_default();
        let me = state.writers.get_mut(writer)?;
        if !answered || me.phase != Phase::Waiting(first) {
            return Some(());
        }
        let Some((winner, count)) = there.filter(|_| !self.broken(Mutation::NoCondition)) else {
            me.ends.insert(first + events - 1);
            me.phase = Phase::Stored;
            return Some(());
        };
        let end = first + count - 1;
        let higher_known = me.ends.last().is_some_and(|known| *known > end);
        me.ends.insert(end);
        me.phase = match self.wish(writer).0 {
            _ if winner == writer && !self.broken(Mutation::NoOwnRetry) => Phase::Stored,
            Wish::Exact(_) => Phase::Refused,
            Wish::Any if !higher_known => Phase::Placed(end + 1),
            Wish::Any if after.iter().any(|(owner, _)| *owner == writer) => Phase::Stored,
            Wish::Any => Phase::Placed(after.last().map_or(end, |(_, end)| *end) + 1),
        };
        Some(())
    }

    /// Forgets what can change nothing any more: states that differ in it only are one.
    fn forget(&self, state: &mut State) {
        let State { ledger, writers, network } = state;
        for writer in writers.iter_mut().filter(|writer| writer.is_done()) {
            (writer.ends, writer.sent, writer.asked) = (BTreeSet::new(), 0, 0);
        }
        network.retain(|(writer, first), alike| {
            let refused = ledger.contains_key(first) && !self.broken(Mutation::NoCondition);
            *alike > 0 && !(refused && writers.get(*writer).is_some_and(Writer::is_done))
        });
    }
}

impl Writer {
    fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Stored | Phase::Refused)
    }
}

impl State {
    fn head(&self) -> u8 {
        self.ledger.iter().map(|(first, (_, events))| first + events - 1).max().unwrap_or(0)
    }

    fn find(&self, writer: usize) -> Option<u8> {
        self.ledger.iter().find(|(_, (owner, _))| *owner == writer).map(|(first, _)| *first)
    }

    fn all(&self, holds: impl Fn(usize, &Writer) -> bool) -> bool {
        self.writers.iter().enumerate().all(|(number, writer)| holds(number, writer))
    }
}

impl Model for Appends {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let writer = Writer { ends: BTreeSet::new(), phase: Phase::New, sent: 0, asked: 0 };
        let writers = vec![writer; self.writers.len()];
        vec![State { ledger: BTreeMap::new(), writers, network: BTreeMap::new() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, writer) in state.writers.iter().enumerate() {
            match writer.phase {
                Phase::New => actions.push(Action::Place(number)),
                Phase::Placed(_) => actions.push(Action::Send(number)),
                Phase::Waiting(_) => {
                    actions.push(Action::GiveUp(number, false));
                    if writer.sent <= self.again {
                        actions.push(Action::GiveUp(number, true));
                    }
                }
                Phase::Unknown if writer.asked < self.again => actions.push(Action::AskAgain(number)),
                Phase::Unknown | Phase::Stored | Phase::Refused => {}
            }
        }
        for request in state.network.keys() {
            actions.extend([Action::Arrive(*request, true), Action::Arrive(*request, false)]);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Place(writer) => self.place(&mut state, writer)?,
            Action::Send(writer) => {
                let me = state.writers.get_mut(writer)?;
                let Phase::Placed(first) = me.phase else { return None };
                me.phase = Phase::Waiting(first);
                me.sent += 1;
                *state.network.entry((writer, first)).or_default() += 1;
            }
            Action::Arrive(request, answered) => self.arrive(&mut state, request, answered)?,
            Action::GiveUp(writer, again) => {
                let silence_is_success = self.broken(Mutation::SilenceIsSuccess);
                let me = state.writers.get_mut(writer)?;
                let Phase::Waiting(first) = me.phase else { return None };
                me.phase = match again {
                    true => Phase::Placed(first),
                    false if silence_is_success => Phase::Stored,
                    false => Phase::Unknown,
                };
            }
            Action::AskAgain(writer) => {
                let me = state.writers.get_mut(writer)?;
                (me.phase, me.sent, me.asked) = (Phase::New, 0, me.asked + 1);
            }
        }
        self.forget(&mut state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("versions are 1..n without hole or overlap", |_, state: &State| {
                let mut next = 1;
                state.ledger.iter().all(|(first, (_, events))| {
                    let follows = *first == next;
                    next = first + events;
                    follows
                })
            }),
            Property::always("a commit is stored once", |model: &Self, state: &State| {
                let stored = |writer| state.ledger.values().filter(|(owner, _)| *owner == writer).count();
                (0..model.writers.len()).all(|writer| stored(writer) <= 1)
            }),
            Property::always("what is acknowledged is in the ledger", |_, state: &State| {
                state.all(|number, writer| writer.phase != Phase::Stored || state.find(number).is_some())
            }),
            Property::always("what is refused was not written and never will be", |_, state: &State| {
                let pending = |number| {
                    let mut sent = state.network.keys().filter(|(writer, _)| *writer == number);
                    sent.any(|(_, first)| !state.ledger.contains_key(first))
                };
                state.all(|number, writer| {
                    writer.phase != Phase::Refused || (state.find(number).is_none() && !pending(number))
                })
            }),
            Property::sometimes("everybody has an answer", |_, state: &State| {
                state.all(|_, writer| writer.is_done())
            }),
        ]
    }
}
