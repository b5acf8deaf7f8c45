//! The chain of archive files of a partition (L10).
//!
//! Two workers both may believe they own the partition. A file is named by its first position and put only if there is
//! none of that name; who loses reads where the winner's file ends and goes on behind it. The checkpoint of the lease is
//! saved after the file is there, under the counter of the lease. How many records go into a file is each worker's own
//! business: size and age differ.

use std::collections::BTreeMap;

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// A file is put whatever is there.
    NoCondition,
    /// Who loses goes on behind what it wanted to put itself.
    ResumesBehindOwn,
    /// The checkpoint moves when records are read into memory.
    CheckpointBeforeFile,
    /// A checkpoint is saved whoever has the lease.
    ZombieSaves,
    /// A file is named by when it was made, not by where it begins.
    NamedByTime,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Archiving {
    /// Records of the partition.
    pub records: u8,
    /// How often a lease may change hands.
    pub takes: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// By name, where a file begins and ends.
    files: BTreeMap<u8, (u8, u8)>,
    counter: u8,
    owner: usize,
    checkpoint: u8,
    furthest: u8,
    workers: [Option<Worker>; 2],
    takes: u8,
    puts: u8,
    /// Whether a file that was there has changed.
    changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Worker {
    counter: u8,
    /// Everything up to here is in files.
    done: u8,
    /// Records in memory end here.
    read: u8,
    /// What it has saved last.
    saved: u8,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A worker takes the lease.
    Take(usize),
    /// It reads a record into memory.
    Read(usize),
    /// It puts a file of what it has; whether it lives to see the answer.
    Put(usize, bool),
    /// It saves the checkpoint.
    Save(usize),
}

impl Archiving {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let (records, takes) = match size {
            Size::Small => (4, 3),
            Size::Large => (6, 5),
        };
        vec![Self { records, takes, mutation }]
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn save(&self, state: &mut State, number: usize, checkpoint: u8) -> Option<()> {
        let me = state.workers.get_mut(number)?;
        let known = (*me)?.counter;
        if known == state.counter || self.broken(Mutation::ZombieSaves) {
            state.counter += 1;
            state.checkpoint = checkpoint;
            state.furthest = state.furthest.max(checkpoint);
            *me = me.map(|me| Worker { counter: known + 1, saved: checkpoint, ..me });
        } else {
            *me = None;
        }
        Some(())
    }

    fn put(&self, state: &mut State, number: usize, answered: bool) -> Option<()> {
        let me = (*state.workers.get(number)?)?;
        state.puts += 1;
        let first = me.done + 1;
        let name = if self.broken(Mutation::NamedByTime) { 100 + state.puts } else { first };
        let there = state.files.get(&name).copied();
        if there.is_none() || self.broken(Mutation::NoCondition) {
            state.changed |= there.is_some_and(|there| there != (first, me.read));
            state.files.insert(name, (first, me.read));
        }
        let end = match there {
            Some((_, end)) if !self.broken(Mutation::ResumesBehindOwn) => end,
            _ => me.read,
        };
        let after = Worker { done: end, read: end, ..me };
        *state.workers.get_mut(number)? = answered.then_some(after);
        Some(())
    }
}

impl Model for Archiving {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            files: BTreeMap::new(),
            counter: 1,
            owner: 0,
            checkpoint: 0,
            furthest: 0,
            workers: [None; 2],
            takes: 0,
            puts: 0,
            changed: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, worker) in state.workers.iter().enumerate() {
            let Some(worker) = worker else {
                if state.takes < self.takes {
                    actions.push(Action::Take(number));
                }
                continue;
            };
            if worker.read < self.records {
                actions.push(Action::Read(number));
            }
            if worker.read > worker.done {
                actions.extend([Action::Put(number, true), Action::Put(number, false)]);
            }
            if worker.done > worker.saved {
                actions.push(Action::Save(number));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Take(number) => {
                state.takes += 1;
                state.counter += 1;
                state.owner = number;
                let (counter, done) = (state.counter, state.checkpoint);
                *state.workers.get_mut(number)? = Some(Worker { counter, done, read: done, saved: done });
            }
            Action::Read(number) => {
                let me = state.workers.get_mut(number)?.as_mut()?;
                me.read += 1;
                let read = me.read;
                if self.broken(Mutation::CheckpointBeforeFile) {
                    self.save(&mut state, number, read)?;
                }
            }
            Action::Put(number, answered) => self.put(&mut state, number, answered)?,
            Action::Save(number) => {
                let done = (*state.workers.get(number)?)?.done;
                self.save(&mut state, number, done)?;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("files are a chain without gap and overlap", |_, state: &State| {
                let mut files: Vec<(u8, u8)> = state.files.values().copied().collect();
                files.sort_unstable();
                let mut next = 1;
                files.iter().all(|(first, last)| {
                    let follows = *first == next;
                    next = last + 1;
                    follows
                })
            }),
            Property::always("a file never changes", |_, state: &State| !state.changed),
            Property::always("no checkpoint passes what is not in a file", |_, state: &State| {
                let end = state.files.values().map(|(_, last)| *last).max().unwrap_or(0);
                state.furthest <= end
            }),
            Property::always("a checkpoint never goes back", |_, state: &State| {
                state.checkpoint == state.furthest
            }),
            Property::sometimes("everything is archived", |model: &Self, state: &State| {
                state.checkpoint == model.records
            }),
        ]
    }
}
