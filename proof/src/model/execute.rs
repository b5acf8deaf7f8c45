//! Commands carried out by two processes on one stream, with cached states, stale reads, snapshots in commits and command
//! keys (L3, L8): `core/src/execute/executor.rs`, `decide.rs`, `fold.rs`, `step.rs`.
//!
//! An event is the number of its command, and a state is the list of events applied, so two states are equal only when the
//! same events were applied in the same order. Commands in turn give, and take what was given before.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// A snapshot holds the state before its commit.
    SnapshotBeforeCommit,
    /// The commit that carries the snapshot is applied on top of it.
    AppliedTwice,
    /// A snapshot that cannot be decoded stands for the first state, at its version.
    UndecodableIsEmpty,
    /// A refusal on a state that may be old is given out at once.
    StaleRefusal,
    /// The key of a command is not looked for.
    NoKeys,
    /// A commit is stored wherever the stream ends when it arrives.
    NoCondition,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Executions {
    /// How many commands.
    pub commands: u8,
    /// Whether the first of them takes.
    pub takes_first: bool,
    /// How often a client does not wait for its answer and asks the other process.
    pub again: u8,
    /// A snapshot rides in every so many commits.
    pub every: usize,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

type Fold = Vec<u8>;

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    ledger: Vec<Commit>,
    /// The cached fold of each process.
    caches: [Option<Fold>; 2],
    tasks: Vec<Task>,
    /// Writes whose clients have asked another process meanwhile: they arrive at any later time.
    late: BTreeSet<(usize, Commit)>,
    undecodable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Commit {
    command: u8,
    snapshot: Option<Fold>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Task {
    process: usize,
    phase: Phase,
    /// Whether its state was read strongly since it came in.
    confirmed: bool,
    asked: u8,
    /// Whether the rules have allowed it at every moment since it came in.
    allowed_throughout: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    New,
    Open,
    Appending(usize),
    Done,
    Refused,
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A command comes in; a load of its state may miss so many of the newest commits.
    Open(u8, usize),
    /// It is decided.
    Decide(u8),
    /// It is appended, and answered.
    Append(u8),
    /// Its write is on the way, and the client asks the other process under the same key.
    HangUp(u8),
    /// A write behind such a version arrives that nobody waits for.
    Arrive((usize, u8)),
    /// A process is started anew.
    Restart(usize),
    /// Snapshots were written by another version of the program.
    Undecodable,
}

impl Executions {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let model = |commands, takes_first| Self { commands, takes_first, again: 1, every: 2, mutation };
        match size {
            Size::Small => vec![model(3, false), model(3, true)],
            Size::Large => vec![model(4, false)],
        }
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// What a process folds from what it read.
    fn load(&self, commits: &[Commit], undecodable: bool) -> Fold {
        let newest = commits.iter().rposition(|commit| commit.snapshot.is_some());
        let found = newest.and_then(|at| Some((at, commits.get(at)?.snapshot.clone()?)));
        let (mut fold, tail) = match found {
            Some((at, _)) if undecodable && self.broken(Mutation::UndecodableIsEmpty) => (vec![], at + 1),
            Some((at, state)) if !undecodable => {
                (state, if self.broken(Mutation::AppliedTwice) { at } else { at + 1 })
            }
            _ => (vec![], 0),
        };
        fold.extend(commits.iter().skip(tail).map(|commit| commit.command));
        fold
    }

    /// What the rules say of a command on a state.
    fn allows(&self, fold: &[u8], command: u8) -> bool {
        let taken = fold.iter().filter(|command| self.takes(**command)).count();
        !self.takes(command) || fold.len() - taken > taken
    }

    fn takes(&self, command: u8) -> bool {
        command.is_multiple_of(2) == self.takes_first
    }

    /// The commit of a command that was decided on this fold.
    fn commit(&self, ledger: &[Commit], mut fold: Fold, command: u8) -> Commit {
        let before = ledger.iter().take(fold.len());
        let last = before.rev().position(|commit| commit.snapshot.is_some()).unwrap_or(fold.len());
        let due = last + 1 >= self.every;
        if !self.broken(Mutation::SnapshotBeforeCommit) {
            fold.push(command);
        }
        Commit { command, snapshot: due.then_some(fold) }
    }
}

impl State {
    /// What the process of a task that was decided at a version sends.
    fn sent(&self, model: &Executions, command: u8) -> Option<(usize, Commit)> {
        let task = self.tasks.get(usize::from(command))?;
        let Phase::Appending(known) = task.phase else { return None };
        let base = self.caches.get(task.process)?.as_ref()?.get(..known)?.to_vec();
        Some((known, model.commit(&self.ledger, base, command)))
    }

    /// A write arrives: it is stored if it follows the end of the stream.
    fn arrive(&mut self, model: &Executions, (known, commit): (usize, Commit)) -> bool {
        let follows = known == self.ledger.len() || model.broken(Mutation::NoCondition);
        if follows {
            self.ledger.push(commit);
            let after = replay(&self.ledger);
            for (command, task) in (0..).zip(self.tasks.iter_mut()) {
                task.allowed_throughout &= model.allows(&after, command);
            }
        }
        follows
    }
}

fn replay(ledger: &[Commit]) -> Fold {
    ledger.iter().map(|commit| commit.command).collect()
}

impl Model for Executions {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let task = |command: u8| Task {
            process: usize::from(command % 2),
            phase: Phase::New,
            confirmed: false,
            asked: 0,
            allowed_throughout: true,
        };
        let tasks = (0..self.commands).map(task).collect();
        let late = BTreeSet::new();
        vec![State { ledger: vec![], caches: [None, None], tasks, late, undecodable: false }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (command, task) in (0..).zip(&state.tasks) {
            match task.phase {
                Phase::New => actions.extend([Action::Open(command, 0), Action::Open(command, 1)]),
                Phase::Open => actions.push(Action::Decide(command)),
                Phase::Appending(_) => {
                    actions.push(Action::Append(command));
                    if task.asked < self.again {
                        actions.push(Action::HangUp(command));
                    }
                }
                Phase::Done | Phase::Refused => {}
            }
        }
        actions.extend(state.late.iter().map(|(known, commit)| Action::Arrive((*known, commit.command))));
        let cached = |process: &usize| state.caches.get(*process).is_some_and(Option::is_some);
        actions.extend((0..2).filter(cached).map(Action::Restart));
        if !state.undecodable {
            actions.push(Action::Undecodable);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Open(command, missed) => {
                let State { ledger, caches, tasks, undecodable, .. } = &mut state;
                let task = tasks.get_mut(usize::from(command))?;
                let seen = ledger.get(..ledger.len().saturating_sub(missed))?;
                let cache = caches.get_mut(task.process)?;
                cache.get_or_insert_with(|| self.load(seen, *undecodable));
                task.allowed_throughout = self.allows(&replay(ledger), command);
                (task.phase, task.confirmed) = (Phase::Open, false);
            }
            Action::Decide(command) => {
                let State { ledger, caches, tasks, .. } = &mut state;
                let task = tasks.get_mut(usize::from(command))?;
                let Some(fold) = caches.get_mut(task.process)? else {
                    task.phase = Phase::New;
                    return Some(state);
                };
                if fold.contains(&command) && !self.broken(Mutation::NoKeys) {
                    task.phase = Phase::Done;
                } else if self.allows(fold, command) {
                    task.phase = Phase::Appending(fold.len());
                } else if task.confirmed || self.broken(Mutation::StaleRefusal) {
                    task.phase = Phase::Refused;
                } else {
                    // A strong read of what came after the fold.
                    let later = ledger.iter().skip(fold.len()).map(|commit| commit.command);
                    fold.extend(later);
                    task.confirmed = true;
                }
            }
            Action::Append(command) => {
                let write = state.sent(self, command)?;
                let (known, process) = (write.0, state.tasks.get(usize::from(command))?.process);
                let stored = state.arrive(self, write);
                state.tasks.get_mut(usize::from(command))?.phase =
                    if stored { Phase::Done } else { Phase::Open };
                // The winner of a lost race, or the own commit: the fold takes it over.
                if let Some(Some(fold)) = state.caches.get_mut(process)
                    && fold.len() == known
                {
                    fold.extend(state.ledger.get(known).map(|commit| commit.command));
                }
            }
            Action::HangUp(command) => {
                let write = state.sent(self, command)?;
                state.late.insert(write);
                let task = state.tasks.get_mut(usize::from(command))?;
                let (process, asked, phase) = (1 - task.process, task.asked + 1, Phase::New);
                *task = Task { process, phase, asked, ..task.clone() };
            }
            Action::Arrive((known, command)) => {
                let write =
                    last.late.iter().find(|(at, commit)| (*at, commit.command) == (known, command))?;
                state.late.remove(write);
                state.arrive(self, write.clone());
            }
            Action::Restart(process) => {
                *state.caches.get_mut(process)? = None;
                for task in state.tasks.iter_mut().filter(|task| task.process == process) {
                    if !matches!(task.phase, Phase::Done | Phase::Refused) {
                        task.phase = Phase::New;
                    }
                }
            }
            Action::Undecodable => state.undecodable = true,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a load gives what a full replay gives", |model: &Self, state: &State| {
                let prefix = |end| state.ledger.get(..end).unwrap_or_default();
                (0..=state.ledger.len())
                    .all(|end| model.load(prefix(end), state.undecodable) == replay(prefix(end)))
            }),
            Property::always("a cached state is one the stream had", |_, state: &State| {
                let all = replay(&state.ledger);
                state.caches.iter().flatten().all(|fold| all.starts_with(fold))
            }),
            Property::always("a command under a key is carried out once", |model: &Self, state: &State| {
                let all = replay(&state.ledger);
                (0..model.commands).all(|command| all.iter().filter(|other| **other == command).count() <= 1)
            }),
            Property::always("a refusal was true when it was given", |_, state: &State| {
                state.tasks.iter().all(|task| task.phase != Phase::Refused || !task.allowed_throughout)
            }),
            Property::always("what is refused was not written and never will be", |_, state: &State| {
                let written = |command| state.ledger.iter().any(|commit| commit.command == command);
                let end = state.ledger.len();
                let will_be =
                    |command| state.late.iter().any(|(at, late)| *at >= end && late.command == command);
                (0..).zip(&state.tasks).all(|(command, task)| {
                    task.phase != Phase::Refused || !(written(command) || will_be(command))
                })
            }),
            Property::always("nothing the rules refuse is stored", |model: &Self, state: &State| {
                let all = replay(&state.ledger);
                (0..all.len()).all(|at| {
                    all.get(..at)
                        .zip(all.get(at))
                        .is_none_or(|(before, command)| model.allows(before, *command))
                })
            }),
            Property::sometimes("everything is done that can be", |model: &Self, state: &State| {
                let takers = (0..model.commands).filter(|command| model.takes(*command)).count();
                let refused = takers.saturating_sub(state.tasks.len() - takers);
                let done = state.tasks.iter().filter(|task| task.phase == Phase::Done).count();
                done == state.tasks.len() - refused
            }),
            Property::sometimes("one is refused", |_, state: &State| {
                state.tasks.iter().any(|task| task.phase == Phase::Refused)
            }),
        ]
    }
}
