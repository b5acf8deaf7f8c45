//! The planner in random worlds: work is shared out fairly, and then nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{Partition, PartitionId, Position};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::group::limits::ROUND;
use crate::group::{Checkpoint, ItemKey, Items, Lease, Observed, Worker, WorkerId};

fn partition(number: usize, parents: &[usize]) -> Partition {
    let id = |number: &usize| PartitionId(format!("p{number:02}").into());
    let mut partition = Partition::new(id(&number));
    partition.parents = parents.iter().map(id).collect();
    partition
}

fn worker_id(number: usize) -> WorkerId {
    WorkerId(format!("w{number}").into())
}

fn generations() -> Vec<Arc<str>> {
    vec!["balances-g1".into()]
}

#[derive(Default)]
struct Member {
    alive: bool,
    observed: Observed,
    held: BTreeMap<PartitionId, Held>,
    asks: Option<WorkerId>,
}

/// A group as it really is, and its workers.
struct World {
    now: Instant,
    partitions: Vec<Partition>,
    items: Items,
    members: BTreeMap<WorkerId, Member>,
    /// Actions and changed wishes of the round before.
    moves: usize,
    uncovered: BTreeSet<PartitionId>,
}

impl World {
    fn new(partitions: Vec<Partition>, workers: usize) -> Self {
        let alive = || Member { alive: true, ..Member::default() };
        let members = (0..workers).map(|number| (worker_id(number), alive())).collect();
        let (items, uncovered) = (Items::default(), BTreeSet::new());
        Self { now: Instant::now(), partitions, items, members, moves: 0, uncovered }
    }

    fn kill(&mut self, number: usize) {
        self.members.insert(worker_id(number), Member::default());
    }

    fn join(&mut self, number: usize) {
        self.members.insert(worker_id(number), Member { alive: true, ..Member::default() });
    }

    /// One round: what a worker sees is what was there before the round (`stale`) or now. A write on a counter that
    /// has moved is lost.
    fn round(&mut self, stale: bool) {
        self.now += ROUND;
        self.moves = 0;
        let before = self.items.clone();
        let ids: Vec<_> = self.members.iter().filter(|(_, m)| m.alive).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let seen = if stale { before.clone() } else { self.items.clone() };
            let mut member = std::mem::take(self.members.get_mut(&id).unwrap());
            member.observed.look(&seen, self.now);
            let plan = plan(&View {
                me: &id,
                partitions: &self.partitions,
                generations: &generations(),
                items: &seen,
                observed: &member.observed,
                held: &member.held,
            });
            self.moves += plan.actions.len() + usize::from(plan.asks != member.asks);
            self.uncovered = plan.uncovered;
            member.asks = plan.asks;
            for action in plan.actions {
                self.act(&id, &mut member, action);
            }
            self.renew(&id, &mut member);
            self.members.insert(id, member);
        }
    }

    fn act(&mut self, me: &WorkerId, member: &mut Member, action: Action) {
        let unmoved = |items: &Items, lease: &Lease| items.leases.get(&lease.partition) == Some(lease);
        match action {
            Action::Create(lease) if !self.items.leases.contains_key(&lease.partition) => {
                if lease.owner.as_ref() == Some(me) {
                    member.held.insert(lease.partition.clone(), Held::Reading);
                }
                self.items.insert(lease.into());
            }
            Action::Take(lease) if unmoved(&self.items, &lease) => {
                member.held.insert(lease.partition.clone(), Held::Reading);
                self.items.insert(lease.given_to(Some(me.clone())).into());
            }
            Action::HandOver(partition, to) => {
                member.held.remove(&partition);
                let lease = self.items.leases.get(&partition).unwrap().given_to(Some(to));
                self.items.insert(lease.into());
            }
            Action::Drop(lease) if unmoved(&self.items, &lease) => {
                member.held.remove(&lease.partition);
                self.items.leases.remove(&lease.partition);
            }
            Action::Bury(worker) => drop(self.items.workers.remove(&worker.id)),
            Action::Create(_) | Action::Take(_) | Action::Drop(_) => {}
        }
    }

    /// Everything is renewed in every round; an owner that was overtaken notices.
    fn renew(&mut self, me: &WorkerId, member: &mut Member) {
        let leases = &mut self.items.leases;
        member.held.retain(|partition, _| {
            leases.get(partition).is_some_and(|lease| lease.owner.as_ref() == Some(me))
        });
        for partition in member.held.keys() {
            leases.get_mut(partition).unwrap().counter += 1;
        }
        let counter = self.items.workers.get(me).map_or(0, |worker| worker.counter) + 1;
        let worker = Worker { id: me.clone(), counter, asks: member.asks.clone() };
        self.items.insert(worker.into());
    }

    fn rounds(&mut self, time: Duration, stale: bool) {
        for _ in 0..time.as_millis() / ROUND.as_millis() {
            self.round(stale);
        }
    }

    /// The leases held by each living worker.
    fn loads(&self) -> Vec<usize> {
        self.members.values().filter(|m| m.alive).map(|m| m.held.len()).collect()
    }

    /// Ends a partition as its reader would.
    fn end(&mut self, number: usize) {
        let id = partition(number, &[]).id;
        for member in self.members.values_mut() {
            member.held.remove(&id);
        }
        let lease = self.items.leases.get_mut(&id).unwrap();
        *lease = lease.given_to(None);
        lease.checkpoints.insert(Arc::clone(&generations()[0]), Checkpoint::End);
    }

    fn assert_settled(&mut self, stale: bool) {
        let loads = self.loads();
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        assert!(most - least <= 1, "shares are fair: {loads:?}");
        let open = self.items.leases.values().filter(|lease| !lease.is_ended(&generations())).count();
        assert_eq!(loads.iter().sum::<usize>(), open, "every lease has one owner");
        assert!(self.uncovered.is_empty());
        for _ in 0..20 {
            self.round(stale);
            assert_eq!(self.moves, 0, "nothing moves when shares are fair");
        }
        assert_eq!(self.loads(), loads);
    }
}

const LONG: Duration = Duration::from_secs(70);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn whatever_happens_shares_become_fair_and_then_nothing_moves(
        partitions in 1..40_usize, workers in 1..7_usize, stale: bool,
        events in vec((0..4_u8, 0..9_usize, 0..30_u64), 0..12),
    ) {
        let partitions = (0..partitions).map(|number| partition(number, &[])).collect();
        let mut world = World::new(partitions, workers);
        for (kind, number, seconds) in events {
            world.rounds(Duration::from_secs(seconds), stale);
            match kind {
                0 | 1 => world.kill(number),
                _ => world.join(number),
            }
        }
        world.join(0);
        world.rounds(LONG, stale);
        world.assert_settled(stale);
    }

    #[test]
    fn few_leases_move_when_a_worker_joins_and_none_twice(
        partitions in 1..60_usize, workers in 1..6_usize,
    ) {
        let all = (0..partitions).map(|number| partition(number, &[])).collect();
        let mut world = World::new(all, workers);
        world.rounds(LONG, false);
        let before: BTreeMap<_, _> =
            world.items.leases.iter().map(|(id, lease)| (id.clone(), lease.incarnation)).collect();
        world.join(workers);
        world.rounds(LONG, false);
        world.assert_settled(false);
        let moved = |(id, lease): (&PartitionId, &Lease)| {
            // A hand-over changes the incarnation twice: to the asker, and when the asker takes it up.
            (lease.incarnation - before[id]) as usize / 2
        };
        let moves: Vec<usize> = world.items.leases.iter().map(moved).collect();
        prop_assert!(moves.iter().all(|moves| *moves <= 1));
        prop_assert!(moves.iter().sum::<usize>() <= partitions.div_ceil(workers + 1), "{:?}", moves);
    }
}

#[test]
fn the_leases_of_a_worker_that_died_are_taken_within_eight_seconds() {
    for stale in [false, true] {
        let mut world = World::new((0..8).map(|number| partition(number, &[])).collect(), 3);
        world.rounds(LONG, stale);
        world.kill(1);
        world.rounds(Duration::from_millis(7_500), stale);
        assert_eq!(world.loads().iter().sum::<usize>(), 8);
        world.assert_settled(stale);
        world.rounds(LONG, stale);
        assert_eq!(world.items.workers.len(), 2, "the dead are buried");
    }
}

#[test]
fn children_get_a_lease_when_all_their_parents_are_ended_or_gone() {
    // 0 was split into 2 and 3; 1 and 2 were merged into 4, whose other ancestor 9 is not listed any more.
    let lineage = [
        partition(0, &[]),
        partition(1, &[]),
        partition(2, &[0]),
        partition(3, &[0]),
        partition(4, &[1, 2, 9]),
    ];
    let mut world = World::new(lineage.to_vec(), 2);
    let names =
        |world: &World| -> Vec<String> { world.items.leases.keys().map(ToString::to_string).collect() };
    world.rounds(LONG, false);
    assert_eq!(names(&world), ["p00", "p01"]);
    assert!(world.uncovered.is_empty(), "children that wait are covered");
    world.end(0);
    world.rounds(LONG, false);
    assert_eq!(names(&world), ["p00", "p01", "p02", "p03"]);
    world.end(2);
    world.rounds(LONG, false);
    assert_eq!(names(&world).len(), 4, "the other parent is still read");
    world.end(1);
    world.rounds(LONG, false);
    assert_eq!(names(&world).len(), 5);
    world.assert_settled(false);
    world.partitions.retain(|partition| ["p03", "p04"].contains(&&*partition.id.0));
    world.rounds(LONG, false);
    assert_eq!(names(&world), ["p03", "p04"], "leases of ended partitions go with their partitions");
    world.assert_settled(false);
}

#[test]
fn a_projection_that_is_new_opens_ended_partitions_again() {
    let mut lease = Lease::new(&partition(0, &[]), None);
    lease.checkpoints.insert("balances-g1".into(), Checkpoint::End);
    assert!(lease.is_ended(&generations()));
    assert!(!lease.is_ended(&["balances-g1".into(), "totals-g1".into()]));
    lease.checkpoints.insert("totals-g1".into(), Checkpoint::At(Position("1".into())));
    assert!(!lease.is_ended(&["balances-g1".into(), "totals-g1".into()]));
}

#[test]
fn a_partition_whose_lease_cannot_be_read_is_named_and_so_is_what_waits_for_it() {
    let mut world = World::new(vec![partition(0, &[]), partition(1, &[0]), partition(2, &[])], 1);
    world.items.unreadable.insert("lease/p00".to_owned(), "an attribute is missing".to_owned());
    world.rounds(LONG, false);
    let ids = [partition(0, &[]).id, partition(1, &[]).id];
    assert_eq!(world.uncovered, ids.into());
    assert_eq!(world.loads(), [1], "what can be read is");
}

#[test]
fn a_listing_without_partitions_drops_nothing() {
    let mut world = World::new(vec![partition(0, &[])], 1);
    world.rounds(LONG, false);
    world.end(0);
    world.partitions.clear();
    world.rounds(LONG, false);
    assert_eq!(world.items.leases.len(), 1);
    assert_eq!(ItemKey::Lease(partition(0, &[]).id).to_string(), "lease/p00");
}
