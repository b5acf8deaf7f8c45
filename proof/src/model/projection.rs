//! Readers with leases, the step, and the rows (L2, L5, L6, L7): `projections/src/step.rs`, `runner/lane.rs`,
//! `runner/cohort.rs`, `runner/keeper.rs`, `group/plan/rules.rs`.
//!
//! One partition, one stream and one row fed by it, two workers that both may believe they own the partition: a lease may
//! be taken at any moment, because nothing says how late the owner is. The feed loses, repeats and reorders. A write of
//! the row and a save of the lease arrive whenever they like, also after their sender was killed.
//!
//! The row is the list of versions applied, so it is right only when it is 1, 2, 3 … One version may be poison, which
//! parks the stream. The times on the events run against their versions: nothing may go by them.

#![expect(clippy::indexing_slicing, reason = "workers are 0 and 1")]

use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::Size;

/// A rule that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// Rows are written whatever is there.
    NoRowCondition,
    /// The checkpoint moves when a batch is read.
    CheckpointBeforeWrite,
    /// A version further on is applied without those before it.
    GapSkipped,
    /// What the feed brings is ignored when a version before it is missing.
    GapDropped,
    /// What is known is kept after a write was lost.
    MemoryKept,
    /// A checkpoint is saved whoever has the lease.
    ZombieSaves,
    /// An event that is not newer by its time counts as a repeat.
    TrustsClocks,
    /// An event that cannot be applied is passed over.
    PoisonPassedOver,
    /// Later events of a parked stream are applied.
    ParkedFlowsOn,
}

/// The model.
#[derive(Debug, Clone)]
pub struct Projecting {
    /// The versions of the stream that the feed brings, in its order.
    pub feed: Vec<u8>,
    /// The version that cannot be applied, if any.
    pub poison: Option<u8>,
    /// How often a worker may be killed.
    pub kills: u8,
    /// How often a lease may change hands.
    pub takes: u8,
    /// What is broken.
    pub mutation: Option<Mutation>,
}

/// A state of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    row: Vec<u8>,
    /// The first failing version and the highest seen.
    parked: Option<(u8, u8)>,
    lease: Lease,
    /// The most that any saved checkpoint has said.
    furthest: usize,
    workers: [Option<Worker>; 2],
    network: BTreeSet<Message>,
    kills: u8,
    takes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Lease {
    owner: Option<(usize, u8)>,
    counter: u8,
    checkpoint: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Worker {
    /// Which time it has the lease: what an earlier life has sent is not answered to this one.
    life: u8,
    /// The lease as it knows it.
    lease: Lease,
    /// Records that are done, as far as it knows.
    done: usize,
    /// What it remembers of the row and of the parked record.
    memory: Option<Known>,
    doing: Doing,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Doing {
    Nothing,
    /// Records read, up to here.
    Batch(usize),
    /// A write is on its way, after which everything up to here is done.
    Writing(usize),
}

/// What is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// A row that was so long is to be this one; the record of a parked stream.
    Row((usize, u8), usize, Vec<u8>, Option<(u8, u8)>),
    /// A worker's checkpoint, under its counter.
    Save((usize, u8), u8, usize),
}

/// What is known of a row and of the record of a parked stream: the first failing version and the highest.
type Known = (Vec<u8>, Option<(u8, u8)>);

/// A step of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// A worker takes the lease, whoever has it.
    Take(usize),
    /// It reads on, so many records.
    Read(usize, usize),
    /// It learns what is stored.
    Load(usize),
    /// It decides, and sends the write.
    Step(usize),
    /// It saves its checkpoint.
    Save(usize),
    /// A message arrives; whether its answer does.
    Arrive(Message, bool),
    /// A worker is killed; what it has sent is still on its way.
    Kill(usize),
}

impl Projecting {
    /// The models in a size: several feeds.
    #[must_use]
    pub fn all(size: Size, mutation: Option<Mutation>) -> Vec<Self> {
        let feeds: [(&[u8], Option<u8>); 4] =
            [(&[1, 3], None), (&[2, 1, 3], None), (&[1, 1, 2], None), (&[1, 2, 3], Some(2))];
        let (kills, takes) = match size {
            Size::Small => (1, 2),
            Size::Large => (1, 3),
        };
        let model = |(feed, poison): (&[u8], _)| Self { feed: feed.to_vec(), poison, kills, takes, mutation };
        feeds.into_iter().map(model).collect()
    }

    fn broken(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// What the records of a batch make of the row.
    fn step(&self, worker: &Worker, until: usize) -> Known {
        let (mut row, mut parked) = worker.memory.clone().unwrap_or_default();
        for version in self.feed.get(worker.done..until).unwrap_or_default() {
            let head = row.last().copied().unwrap_or(0);
            let repeat = match self.broken(Mutation::TrustsClocks) {
                // The times of the events run backwards.
                true => head > 0 && *version >= head,
                false => *version <= head,
            };
            if repeat || (*version > head + 1 && self.broken(Mutation::GapDropped)) {
                continue;
            }
            let first = if self.broken(Mutation::GapSkipped) { *version } else { head + 1 };
            // From the ledger come those before it.
            for version in first..=*version {
                match &mut parked {
                    Some((_, highest)) if !self.broken(Mutation::ParkedFlowsOn) => {
                        *highest = version.max(*highest);
                    }
                    _ if Some(version) == self.poison => match self.broken(Mutation::PoisonPassedOver) {
                        true => {}
                        false => parked = Some((version, version)),
                    },
                    _ => row.push(version),
                }
            }
        }
        (row, parked)
    }

    fn arrive(&self, state: &mut State, message: &Message, answered: bool) {
        state.network.remove(message);
        match message {
            Message::Row(worker, known, row, parked) => {
                let holds = state.row.len() == *known || self.broken(Mutation::NoRowCondition);
                if holds {
                    state.row.clone_from(row);
                    state.parked = match (state.parked, *parked) {
                        (Some(before), Some(after)) => Some((before.0, before.1.max(after.1))),
                        (before, after) => before.or(after),
                    };
                }
                let Some(me) = state.alive(*worker) else { return };
                let Doing::Writing(until) = me.doing else { return };
                me.doing = Doing::Nothing;
                match answered && holds {
                    true => {
                        me.memory = Some((row.clone(), *parked));
                        me.done = until;
                    }
                    false if self.broken(Mutation::MemoryKept) => {
                        me.memory = Some((row.clone(), *parked));
                        me.done = until;
                    }
                    false => me.memory = None,
                }
            }
            Message::Save(worker, counter, checkpoint) => {
                let holds = state.lease.counter == *counter || self.broken(Mutation::ZombieSaves);
                if holds {
                    state.lease.counter += 1;
                    state.lease.checkpoint = *checkpoint;
                    state.furthest = state.furthest.max(*checkpoint);
                }
                let there = state.lease;
                let Some(me) = state.alive(*worker).filter(|_| answered) else { return };
                // What an earlier try of this life has saved, whose answer was lost, is known by its owner and life.
                match there.owner == Some(*worker) {
                    true => me.lease = there,
                    // The lease is somebody else's: reading ends, and memory is dropped.
                    false => state.workers[worker.0] = None,
                }
            }
        }
    }
}

impl State {
    /// A worker, if it is still in the life that has sent something.
    fn alive(&mut self, (worker, life): (usize, u8)) -> Option<&mut Worker> {
        self.workers[worker].as_mut().filter(|worker| worker.life == life)
    }
}

impl Model for Projecting {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let lease = Lease { owner: None, counter: 1, checkpoint: 0 };
        vec![State {
            row: vec![],
            parked: None,
            lease,
            furthest: 0,
            workers: [None, None],
            network: BTreeSet::new(),
            kills: 0,
            takes: 0,
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
            if state.kills < self.kills {
                actions.push(Action::Kill(number));
            }
            let left = self.feed.len() - worker.done.min(self.feed.len());
            match worker.doing {
                Doing::Nothing => actions.extend((1..=left.min(2)).map(|count| Action::Read(number, count))),
                Doing::Batch(_) if worker.memory.is_none() => actions.push(Action::Load(number)),
                Doing::Batch(_) => actions.push(Action::Step(number)),
                Doing::Writing(_) => {}
            }
            let sent = |message: &Message| matches!(message, Message::Save(from, ..) if *from == (number, worker.life));
            if worker.done > worker.lease.checkpoint && !state.network.iter().any(sent) {
                actions.push(Action::Save(number));
            }
        }
        for message in &state.network {
            actions.extend([true, false].map(|answered| Action::Arrive(message.clone(), answered)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Take(number) => {
                state.takes += 1;
                // A new incarnation, with new memory.
                let (life, counter) = (state.takes, state.lease.counter + 1);
                state.lease = Lease { owner: Some((number, life)), counter, ..state.lease };
                let (lease, done) = (state.lease, state.lease.checkpoint);
                state.workers[number] =
                    Some(Worker { life, lease, done, memory: None, doing: Doing::Nothing });
            }
            Action::Read(number, count) => {
                let me = state.workers[number].as_mut()?;
                let until = me.done + count;
                me.doing = Doing::Batch(until);
                if self.broken(Mutation::CheckpointBeforeWrite) {
                    state.network.insert(Message::Save((number, me.life), me.lease.counter, until));
                }
            }
            Action::Load(number) => {
                let stored = (state.row.clone(), state.parked);
                state.workers[number].as_mut()?.memory = Some(stored);
            }
            Action::Step(number) => {
                let me = state.workers[number].as_ref()?;
                let Doing::Batch(until) = me.doing else { return None };
                let (row, parked) = self.step(me, until);
                let before = me.memory.clone().unwrap_or_default();
                let me = state.workers[number].as_mut()?;
                if (&row, &parked) == (&before.0, &before.1) {
                    // Repeats only: there is nothing to write.
                    (me.done, me.doing) = (until, Doing::Nothing);
                } else {
                    me.doing = Doing::Writing(until);
                    state.network.insert(Message::Row((number, me.life), before.0.len(), row, parked));
                }
            }
            Action::Save(number) => {
                let me = state.workers[number].as_ref()?;
                state.network.insert(Message::Save((number, me.life), me.lease.counter, me.done));
            }
            Action::Arrive(message, answered) => self.arrive(&mut state, &message, answered),
            Action::Kill(number) => {
                state.workers[number] = None;
                state.kills += 1;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a row is its events once each, in order", |_, state: &State| {
                state.row.iter().zip(1..).all(|(version, place)| *version == place)
            }),
            Property::always("no checkpoint passes work that is not done", |model: &Self, state: &State| {
                let reached = state.parked.map_or(0, |(_, highest)| highest).max(state.row.len() as u8);
                model.feed.iter().take(state.furthest).all(|version| *version <= reached)
            }),
            Property::always("a checkpoint never goes back", |_, state: &State| {
                state.lease.checkpoint == state.furthest
            }),
            Property::always(
                "what cannot be applied is parked and not passed over",
                |model: &Self, state: &State| {
                    model.poison.is_none_or(|poison| {
                        state.row.len() < usize::from(poison)
                            && state.parked.is_none_or(|(first, _)| first == poison)
                    })
                },
            ),
            Property::sometimes("everything is done", |model: &Self, state: &State| {
                state.lease.checkpoint == model.feed.len()
            }),
            Property::sometimes("two workers believe they own the partition", |_, state: &State| {
                state.workers.iter().all(Option::is_some)
            }),
        ]
    }
}
