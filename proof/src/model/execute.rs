//! Commands carried out by two processes on one stream, with cached states, stale reads, snapshots in commits and command
//! keys (L3, L8): `core/src/execute/executor.rs`, `decide.rs`, `fold.rs`, `step.rs`.
//!
//! An event is the number of its command, and a state is the list of events applied, so two states are equal only when the
//! same events were applied in the same order. Even commands give, odd ones take what was given before.

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
}

/// The model.
#[derive(Debug, Clone)]
pub struct Executions {
    /// How many commands.
    pub commands: u8,
    /// How often a client does not get its answer and asks the other process.
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
    undecodable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// It is appended; whether the client gets the answer.
    Append(u8, bool),
    /// A process is started anew.
    Restart(usize),
    /// Snapshots were written by another version of the program.
    Undecodable,
}

impl Executions {
    /// The model in a size.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let (commands, again) = match size {
            Size::Small => (3, 1),
            Size::Large => (4, 1),
        };
        vec![Self { commands, again, every: 2, mutation }]
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

    fn snapshot_after(&self, ledger: &[Commit], fold: &Fold, command: u8) -> Option<Fold> {
        let last = ledger.iter().rposition(|commit| commit.snapshot.is_some()).map_or(0, |at| at + 1);
        let due = ledger.len() + 1 - last >= self.every;
        let mut state = fold.clone();
        if !self.broken(Mutation::SnapshotBeforeCommit) {
            state.push(command);
        }
        due.then_some(state)
    }
}

/// What the rules say of a command on a state.
fn allowed(fold: &[u8], command: u8) -> bool {
    let takes = |command: &&u8| **command % 2 == 1;
    let (taken, all) = (fold.iter().filter(takes).count(), fold.len());
    command.is_multiple_of(2) || all - taken > taken
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
        vec![State { ledger: vec![], caches: [None, None], tasks, undecodable: false }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (command, task) in (0..).zip(&state.tasks) {
            match task.phase {
                Phase::New => actions.extend([Action::Open(command, 0), Action::Open(command, 1)]),
                Phase::Open => actions.push(Action::Decide(command)),
                Phase::Appending(_) => {
                    actions.push(Action::Append(command, true));
                    if task.asked < self.again {
                        actions.push(Action::Append(command, false));
                    }
                }
                Phase::Done | Phase::Refused => {}
            }
        }
        let cached = |process: &usize| state.caches.get(*process).is_some_and(Option::is_some);
        actions.extend((0..2).filter(cached).map(Action::Restart));
        if !state.undecodable {
            actions.push(Action::Undecodable);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let State { ledger, caches, tasks, undecodable } = &mut state;
        match action {
            Action::Open(command, missed) => {
                let task = tasks.get_mut(usize::from(command))?;
                let seen = ledger.get(..ledger.len().saturating_sub(missed))?;
                let cache = caches.get_mut(task.process)?;
                cache.get_or_insert_with(|| self.load(seen, *undecodable));
                task.allowed_throughout = allowed(&replay(ledger), command);
                (task.phase, task.confirmed) = (Phase::Open, false);
            }
            Action::Decide(command) => {
                let task = tasks.get_mut(usize::from(command))?;
                let Some(fold) = caches.get_mut(task.process)? else {
                    task.phase = Phase::New;
                    return Some(state);
                };
                if fold.contains(&command) && !self.broken(Mutation::NoKeys) {
                    task.phase = Phase::Done;
                } else if allowed(fold, command) {
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
            Action::Append(command, answered) => {
                let task = tasks.get_mut(usize::from(command))?;
                let Phase::Appending(known) = task.phase else { return None };
                let process = task.process;
                if known == ledger.len() {
                    let base: Fold = caches.get(process)?.as_ref()?.get(..known)?.to_vec();
                    let snapshot = self.snapshot_after(ledger, &base, command);
                    ledger.push(Commit { command, snapshot });
                    match answered {
                        true => task.phase = Phase::Done,
                        // The process has died, and the client asks the other one under the same key.
                        false => {
                            *caches.get_mut(process)? = None;
                            let asked = task.asked + 1;
                            let phase = Phase::New;
                            *task = Task { process: 1 - process, phase, asked, ..task.clone() };
                        }
                    }
                    let after = replay(ledger);
                    for (command, task) in (0..).zip(tasks.iter_mut()) {
                        task.allowed_throughout &= allowed(&after, command);
                    }
                }
                // The winner of a lost race, or the own commit: the fold takes it over.
                if let Some(Some(fold)) = caches.get_mut(process)
                    && fold.len() == known
                {
                    fold.extend(ledger.get(known).map(|commit| commit.command));
                }
                let task = tasks.get_mut(usize::from(command))?;
                if task.phase == Phase::Appending(known) {
                    task.phase = Phase::Open;
                }
            }
            Action::Restart(process) => {
                *caches.get_mut(process)? = None;
                for task in tasks.iter_mut().filter(|task| task.process == process) {
                    if !matches!(task.phase, Phase::Done | Phase::Refused) {
                        task.phase = Phase::New;
                    }
                }
            }
            Action::Undecodable => *undecodable = true,
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
            Property::always("nothing the rules refuse is stored", |_, state: &State| {
                let all = replay(&state.ledger);
                (0..all.len()).all(|at| {
                    all.get(..at).zip(all.get(at)).is_none_or(|(before, command)| allowed(before, *command))
                })
            }),
            Property::sometimes("everything is done", |_, state: &State| {
                state.tasks.iter().all(|task| task.phase == Phase::Done)
            }),
            Property::sometimes("one is refused", |_, state: &State| {
                state.tasks.iter().any(|task| task.phase == Phase::Refused)
            }),
        ]
    }
}
