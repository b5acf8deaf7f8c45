//! The plan of a worker for one round, from what it sees of its group.
//!
//! Shares are fair when no worker has two leases more than another. Free leases are taken up to the share rounded up;
//! who then has two less than the busiest asks it for one, and the busiest hands over a few in each round. Every move
//! brings the shares closer together and none is made when they are fair, so moves end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{Partition, PartitionId};

use super::cover::{ready, uncovered};
use crate::group::limits::{BURY_AFTER, EXPIRY, HAND_OVERS_A_ROUND};
use crate::group::{ItemKey, Items, Lease, Observed, Worker, WorkerId};

/// What a worker sees.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) me: &'a WorkerId,
    /// The partitions of the feed. None at all is taken for a listing that failed.
    pub(crate) partitions: &'a [Partition],
    /// What the group keeps up to date.
    pub(crate) generations: &'a [Arc<str>],
    pub(crate) items: &'a Items,
    pub(crate) observed: &'a Observed,
    /// The leases that are held in truth, whatever the items say.
    pub(crate) held: &'a BTreeMap<PartitionId, Held>,
}

/// A lease of this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// Being read.
    Reading,
    /// Being read, but the feed does not know the partition any more.
    Gone,
    /// Being given up, for somebody or for nobody.
    Leaving(Option<WorkerId>),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make this lease.
    Create(Lease),
    /// Take this lease, as it was seen.
    Take(Lease),
    /// Give one of the own leases to another worker, at its next checkpoint.
    HandOver(PartitionId, WorkerId),
    /// Delete the lease of a partition that the feed does not have any more.
    Drop(Lease),
    /// Delete the item of a worker that has shown no life for long.
    Bury(Worker),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    pub(crate) actions: Vec<Action>,
    /// The worker to ask for a lease.
    pub(crate) asks: Option<WorkerId>,
    /// Partitions that nobody reads or waits for, and nobody will.
    pub(crate) uncovered: BTreeSet<PartitionId>,
    /// Workers that are alive, this one included.
    pub(crate) workers: usize,
}

/// Decides what to do.
pub(crate) fn plan(view: &View<'_>) -> Plan {
    let mut planner = Planner::new(view);
    planner.bury();
    planner.drop_expired();
    planner.create();
    planner.take();
    planner.ask();
    planner.hand_over();
    let created = planner.actions.iter().filter_map(|action| match action {
        Action::Create(lease) => Some(lease.partition.clone()),
        _ => None,
    });
    let uncovered = uncovered(view, &created.collect());
    Plan { workers: planner.loads.len(), actions: planner.actions, asks: planner.asks, uncovered }
}

struct Planner<'v, 'a> {
    view: &'v View<'a>,
    /// The leases of each living worker that are not ended.
    loads: BTreeMap<WorkerId, usize>,
    /// The share of each, rounded up.
    share: usize,
    actions: Vec<Action>,
    asks: Option<WorkerId>,
}

impl<'v, 'a> Planner<'v, 'a> {
    fn new(view: &'v View<'a>) -> Self {
        let alive = |worker: &&Worker| view.observed.is_alive(&ItemKey::Worker(worker.id.clone()));
        let living = view.items.workers.values().filter(alive).map(|worker| worker.id.clone());
        let mut loads: BTreeMap<_, _> = living.chain([view.me.clone()]).map(|id| (id, 0)).collect();
        let open = view.items.leases.values().filter(|lease| view.is_open(lease));
        let mut count = 0;
        for lease in open {
            count += 1;
            if let Some(load) = view.owner(lease).and_then(|owner| loads.get_mut(owner)) {
                *load += 1;
            }
        }
        count += ready(view).count();
        let share = count.div_ceil(loads.len());
        Self { view, loads, share, actions: Vec::new(), asks: None }
    }

    fn mine(&mut self) -> &mut usize {
        self.loads.entry(self.view.me.clone()).or_default()
    }

    fn bury(&mut self) {
        let dead = |worker: &&Worker| {
            worker.id != *self.view.me && self.view.still(&ItemKey::Worker(worker.id.clone())) >= BURY_AFTER
        };
        let dead = self.view.items.workers.values().filter(dead).cloned();
        self.actions.extend(dead.map(Action::Bury));
    }

    /// Leases stay as long as the feed lists their partition, also when they are ended: they say that it is done, and a
    /// projection that joins the group later finds its partition not done.
    fn drop_expired(&mut self) {
        let view = self.view;
        if view.partitions.is_empty() {
            return;
        }
        let listed: BTreeSet<_> = view.partitions.iter().map(|partition| &partition.id).collect();
        for lease in view.items.leases.values().filter(|lease| !listed.contains(&lease.partition)) {
            let droppable = match view.held.get(&lease.partition) {
                Some(held) => *held == Held::Gone,
                None => !view.is_open(lease) && (lease.owner.is_none() || view.is_free(lease)),
            };
            if droppable {
                self.actions.push(Action::Drop(lease.clone()));
            }
        }
    }

    fn create(&mut self) {
        for partition in ready(self.view) {
            let room = *self.mine() < self.share;
            *self.mine() += usize::from(room);
            let owner = room.then(|| self.view.me.clone());
            self.actions.push(Action::Create(Lease::new(partition, owner)));
        }
    }

    fn take(&mut self) {
        let view = self.view;
        let open = || view.items.leases.values().filter(|lease| view.is_open(lease) && !view.holds(lease));
        // Given to this worker by another, or left over from an answer that was lost. It counts as its own already.
        let given = open().filter(|lease| lease.owner.as_ref() == Some(view.me));
        self.actions.extend(given.cloned().map(Action::Take));
        let mut free: Vec<_> = open().filter(|lease| view.is_free(lease)).collect();
        // Each worker starts at another place, so that they seldom run for the same lease.
        let rank = self.loads.keys().take_while(|id| *id != view.me).count();
        let start = rank * free.len() / self.loads.len();
        free.rotate_left(start);
        for lease in free {
            if *self.mine() >= self.share {
                return;
            }
            *self.mine() += 1;
            self.actions.push(Action::Take(lease.clone()));
        }
    }

    /// Asks the busiest for a lease when it has two more, and nothing is to be had without asking.
    fn ask(&mut self) {
        let mine = *self.mine();
        let taking = self.actions.iter().any(|action| matches!(action, Action::Take(_) | Action::Create(_)));
        let busiest = self.loads.iter().max_by_key(|(_, load)| **load);
        self.asks = busiest.filter(|(_, load)| !taking && **load >= mine + 2).map(|(id, _)| id.clone());
    }

    fn hand_over(&mut self) {
        let view = self.view;
        let asking = view.items.workers.values().filter(|worker| worker.asks.as_ref() == Some(view.me));
        let mut asking: Vec<_> =
            asking.filter_map(|worker| Some((*self.loads.get(&worker.id)?, &worker.id))).collect();
        asking.sort_unstable();
        let reading = view.held.iter().rev().filter(|(_, held)| **held == Held::Reading);
        let mut reading = reading.map(|(partition, _)| partition);
        for (load, asker) in asking.into_iter().take(HAND_OVERS_A_ROUND) {
            if *self.mine() < load + 2 {
                continue;
            }
            let Some(partition) = reading.next() else { return };
            *self.mine() -= 1;
            self.actions.push(Action::HandOver(partition.clone(), asker.clone()));
        }
    }
}

impl View<'_> {
    pub(super) fn is_open(&self, lease: &Lease) -> bool {
        !lease.is_ended(self.generations)
    }

    fn holds(&self, lease: &Lease) -> bool {
        self.held.contains_key(&lease.partition)
    }

    fn still(&self, key: &ItemKey) -> Duration {
        self.observed.still(key)
    }

    /// Whether who has an item is gone.
    pub(super) fn is_still(&self, key: &ItemKey) -> bool {
        self.still(key) >= EXPIRY
    }

    /// Whether nobody has it any more.
    fn is_free(&self, lease: &Lease) -> bool {
        match &lease.owner {
            None => true,
            Some(owner) if owner == self.me => false,
            Some(_) => self.is_still(&ItemKey::Lease(lease.partition.clone())),
        }
    }

    /// Who has it or is about to get it, in truth.
    fn owner<'l>(&'l self, lease: &'l Lease) -> Option<&'l WorkerId> {
        match self.held.get(&lease.partition) {
            Some(Held::Reading | Held::Gone) => Some(self.me),
            Some(Held::Leaving(to)) => to.as_ref(),
            None if self.is_free(lease) => None,
            None => lease.owner.as_ref(),
        }
    }
}
