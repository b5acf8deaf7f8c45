//! The rounds of a worker: look at the group, plan, act. Reading and renewing go on beside them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use headwater::store::{Partition, PartitionId};
use headwater::{EventFeed, EventStore};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

use super::RunError;
use super::catch_up::{Asks, Passes};
use super::keeper::{End, Keeper, Kept};
use super::limits::{LIST_PATIENCE, PARTITIONS_EVERY};
use super::progress::Progress;
use super::status::{Control, PartitionState, PartitionStatus, Shown};
use super::work::Work;
use crate::group::limits::{CALL_PATIENCE, CALLS_AT_ONCE, RENEW_EVERY, UNCOVERED_ROUNDS};
use crate::group::{
    Action, Held, Item, Items, Lease, LeaseError, LeaseStore, Observed, Plan, Saved, View, Worker, WorkerId,
    plan,
};

/// What the rounds of one worker know.
#[derive(Debug)]
pub(super) struct Rounds {
    /// What is read by those that have to catch up, if anything is.
    pub(super) ledger: Option<Arc<dyn EventStore>>,
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) store: Arc<dyn LeaseStore>,
    pub(super) group: Arc<str>,
    work: Arc<dyn Work>,
    pub(super) generations: Arc<[Arc<str>]>,
    pub(super) control: Control,
    /// Whether this worker has the first of the open partitions.
    first_is_mine: Arc<AtomicBool>,
    pub(super) me: Worker,
    pub(super) asks: Asks,
    pub(super) passes: Passes,
    /// Whether the worker's own item is there, as far as is known.
    known: bool,
    beat_at: Option<Instant>,
    observed: Observed,
    partitions: Vec<Partition>,
    listed_at: Option<Instant>,
    held: BTreeMap<PartitionId, Holding>,
    tasks: JoinSet<Result<(PartitionId, Kept), JoinError>>,
    uncovered: BTreeMap<PartitionId, u32>,
}

/// A lease that is held.
#[derive(Debug)]
struct Holding {
    progress: Arc<Progress>,
    end: watch::Sender<Option<End>>,
}

/// What became of an action.
enum Acted {
    /// This lease is held now, since the call that began then.
    Got(Lease, Instant),
    /// Nothing to remember.
    Nothing,
}

impl Rounds {
    pub(super) fn new(
        ledger: Option<Arc<dyn EventStore>>,
        feed: Arc<dyn EventFeed>,
        store: Arc<dyn LeaseStore>,
        group: Arc<str>,
        work: Arc<dyn Work>,
        control: Control,
        first_is_mine: Arc<AtomicBool>,
    ) -> Self {
        let asks = Asks { store: Arc::clone(&store), group: Arc::clone(&group) };
        Self {
            ledger,
            feed,
            store,
            group,
            generations: work.names(),
            work,
            control,
            first_is_mine,
            asks,
            passes: Passes::default(),
            me: Worker { id: WorkerId::random(), counter: 0, asks: None },
            known: false,
            beat_at: None,
            observed: Observed::default(),
            partitions: Vec::new(),
            listed_at: None,
            held: BTreeMap::new(),
            tasks: JoinSet::new(),
            uncovered: BTreeMap::new(),
        }
    }

    /// Looks, plans and acts once. What fails is logged, and tried again in the next round.
    pub(super) async fn round(&mut self) {
        self.list_partitions().await;
        if self.beat_at.is_none() {
            self.beat(None).await;
        }
        let items = match timeout(CALL_PATIENCE, self.store.list(&self.group)).await {
            Ok(Ok(items)) => items,
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the leases cannot be listed, trying again");
                return;
            }
            Err(_) => {
                tracing::warn!("the leases were not listed in time, trying again");
                return;
            }
        };
        self.observed.look(&items, Instant::now());
        self.work.notice(&items);
        self.generations = self.work.names();
        let held = self.held.iter().map(|(partition, holding)| (partition.clone(), holding.held())).collect();
        let view = View {
            me: &self.me.id,
            partitions: &self.partitions,
            generations: &self.generations,
            items: &items,
            observed: &self.observed,
            held: &held,
        };
        let (mut plan, catching_up) = (plan(&view), view.catching_up(&self.able()));
        if plan.asks != self.me.asks || self.beat_at.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            self.beat(plan.asks.clone()).await;
        }
        // New generations ask before anything is read for them.
        self.catch_up(catching_up).await;
        self.act(std::mem::take(&mut plan.actions), &items).await;
        let mut open = items.leases.values().filter(|lease| !lease.is_ended(&self.generations));
        let first_is_mine = open.next().is_some_and(|lease| self.held.contains_key(&lease.partition));
        self.first_is_mine.store(first_is_mine, Ordering::Relaxed);
        self.alarm(&items, &plan);
        self.show(&items, &plan);
    }

    /// Waits until a reader has ended; not at all ready when there is none.
    pub(super) async fn ended(&mut self) -> Result<(), RunError> {
        tokio::select! {
            biased;
            Some(done) = self.tasks.join_next() => self.done(done),
            ended = self.passes.ended() => ended.map_err(|source| RunError::Panicked { source }),
        }
    }

    /// Releases every lease, each after the batch under way, and takes leave.
    pub(super) async fn leave(mut self) -> Result<(), RunError> {
        for holding in self.held.values() {
            holding.end.send_replace(Some(End::Release));
        }
        let left = self.passes.leave().await;
        let mut outcome = left.map_err(|source| RunError::Panicked { source });
        while let Some(done) = self.tasks.join_next().await {
            outcome = outcome.and(self.done(done));
        }
        let key = Item::Worker(self.me.clone()).key();
        let leaving = self.store.delete(&self.group, &key, self.me.counter);
        if !matches!(timeout(CALL_PATIENCE, leaving).await, Ok(Ok(Saved::Done))) {
            tracing::info!("the worker could not take leave: the others will notice");
        }
        outcome
    }

    fn done(
        &mut self,
        done: Result<Result<(PartitionId, Kept), JoinError>, JoinError>,
    ) -> Result<(), RunError> {
        let panicked = |source| RunError::Panicked { source };
        let (partition, kept) = done.map_err(panicked)?.map_err(panicked)?;
        tracing::info!(%partition, ?kept, "a lease was given up");
        self.held.remove(&partition);
        if kept == Kept::Ended {
            // Its children may be read from now on: look at once.
            self.listed_at = None;
        }
        Ok(())
    }

    async fn list_partitions(&mut self) {
        if self.listed_at.is_some_and(|at| at.elapsed() < PARTITIONS_EVERY) {
            return;
        }
        match timeout(LIST_PATIENCE, self.feed.partitions()).await {
            Ok(Ok(partitions)) => {
                (self.partitions, self.listed_at) = (partitions, Some(Instant::now()));
            }
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the partitions of the feed cannot be listed, trying again");
            }
            Err(_) => tracing::warn!("the partitions of the feed were not listed in time, trying again"),
        }
    }

    /// Shows the others that this worker is alive, and whom it asks for a lease.
    async fn beat(&mut self, asks: Option<WorkerId>) {
        let next = Worker { counter: self.me.counter + 1, asks, ..self.me.clone() };
        let expected = self.known.then_some(self.me.counter);
        let item = Item::from(next.clone());
        let saving = self.store.save(&self.group, &item, expected);
        match timeout(CALL_PATIENCE, saving).await {
            Ok(Ok(Saved::Done)) => {
                (self.me, self.known, self.beat_at) = (next, true, Some(Instant::now()));
            }
            // An answer that was lost, or somebody who took this worker for dead.
            Ok(Ok(Saved::Lost(there))) => {
                self.known = there.is_some();
                self.me.counter = there.map_or(0, |there| there.counter());
                self.beat_at = None;
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the worker cannot show that it is alive, trying again"),
        }
    }

    async fn act(&mut self, mut actions: Vec<Action>, items: &Items) {
        // Records that nobody has read may be gone with these partitions, so the ledger has to be read first.
        if self.ledger.is_some()
            && actions.iter().any(|action| self.may_miss_records(action, items))
            && !self.asks.ask(&self.generations.iter().cloned().collect()).await
        {
            actions.retain(|action| !self.may_miss_records(action, items));
        }
        let (mut calls, mut ends) = (Vec::new(), Vec::new());
        for action in actions {
            match action {
                Action::HandOver(partition, to) => ends.push((partition, End::HandOver(to))),
                Action::Drop(lease) if self.held.contains_key(&lease.partition) => {
                    tracing::error!(
                        partition = %lease.partition,
                        "the feed does not have the partition any more, and it was not read to its end: the ledger is read"
                    );
                    ends.push((lease.partition, End::Delete));
                }
                other => calls.push(other),
            }
        }
        for (partition, end) in ends {
            if let Some(holding) = self.held.get(&partition) {
                holding.end.send_replace(Some(end));
            }
        }
        let calls = futures::stream::iter(calls)
            .map(|action| call(Arc::clone(&self.store), Arc::clone(&self.group), self.me.id.clone(), action));
        let acted: Vec<_> = calls.buffer_unordered(CALLS_AT_ONCE).collect().await;
        for acted in acted {
            if let Acted::Got(lease, since) = acted {
                self.start(lease, since);
            }
        }
    }

    /// Whether records may have come and gone unread: of a partition that is gone before it was read to its end, of
    /// parents that are gone and never had a lease, or of a partition that has no checkpoint yet and had no reader for who
    /// knows how long: no position tells what is gone. Only a partition in which next to nothing was ever read has none.
    fn may_miss_records(&self, action: &Action, items: &Items) -> bool {
        let listed = |id: &PartitionId| self.partitions.iter().any(|partition| partition.id == *id);
        match action {
            Action::Drop(lease) => self.held.contains_key(&lease.partition),
            Action::Create(lease) => {
                lease.parents.iter().any(|parent| !listed(parent) && !items.leases.contains_key(parent))
            }
            // One that was handed over was read until a moment ago.
            Action::Take(lease) if lease.owner.as_ref() != Some(&self.me.id) => {
                self.generations.iter().any(|generation| !lease.checkpoints.contains_key(generation))
            }
            _ => false,
        }
    }

    /// Starts reading under a new incarnation, with new memory.
    fn start(&mut self, lease: Lease, saved_at: Instant) {
        let progress = Arc::new(Progress::from(&lease));
        let (end, ends) = watch::channel(None);
        let holding = Holding { progress: Arc::clone(&progress), end };
        tracing::info!(partition = %lease.partition, incarnation = lease.incarnation, "a lease was taken");
        let partition = lease.partition.clone();
        let keeper = Keeper {
            store: Arc::clone(&self.store),
            group: Arc::clone(&self.group),
            lease,
            saved_at,
            progress,
            work: Arc::clone(&self.work),
            end: ends,
        };
        self.held.insert(partition, holding);
        self.tasks.spawn(keeper.keep());
    }

    /// Names partitions that nobody reads. One that is new may be without a lease for a few rounds.
    fn alarm(&mut self, items: &Items, plan: &Plan) {
        self.uncovered.retain(|partition, _| plan.uncovered.contains(partition));
        for partition in &plan.uncovered {
            let rounds = self.uncovered.entry(partition.clone()).or_default();
            *rounds = rounds.saturating_add(1);
            if rounds.is_multiple_of(UNCOVERED_ROUNDS) {
                let reason = items.unreadable.get(&format!("lease/{partition}"));
                tracing::error!(%partition, ?reason, "no lease covers the partition: nobody reads it");
            }
        }
    }

    fn show(&self, items: &Items, plan: &Plan) {
        let state = |partition: &Partition| {
            let lease = items.leases.get(&partition.id);
            let uncovered = self.uncovered.get(&partition.id);
            let state = match lease {
                _ if uncovered.is_some_and(|rounds| *rounds >= UNCOVERED_ROUNDS) => PartitionState::Uncovered,
                None => PartitionState::Waiting,
                Some(lease) if lease.is_ended(&self.generations) => PartitionState::Ended,
                Some(lease) => match &lease.owner {
                    Some(owner) => PartitionState::Elsewhere { owner: owner.clone() },
                    None => PartitionState::Free,
                },
            };
            PartitionStatus::of(state, lease.map_or(0, |lease| lease.losses))
        };
        let partitions = self.partitions.iter().map(|partition| (partition.id.clone(), state(partition)));
        let here = self.held.iter().map(|(id, holding)| (id.clone(), Arc::clone(&holding.progress)));
        let (partitions, here) = (partitions.collect(), here.collect());
        let (catch_up, pass) = (items.catch_up.clone(), self.passes.places());
        let me = Some(self.me.id.clone());
        self.control.show(Shown { me, workers: plan.workers, partitions, here, catch_up, pass });
    }
}

impl Holding {
    fn held(&self) -> Held {
        match &*self.end.borrow() {
            None if self.progress.is_gone() => Held::Gone,
            None => Held::Reading,
            Some(End::HandOver(to)) => Held::Leaving(Some(to.clone())),
            Some(End::Release | End::Delete) => Held::Leaving(None),
        }
    }
}

/// Carries out an action that is one call of the lease store.
async fn call(store: Arc<dyn LeaseStore>, group: Arc<str>, me: WorkerId, action: Action) -> Acted {
    let (begun, store) = (Instant::now(), store.as_ref());
    let (calling, lease) = match action {
        Action::Create(lease) => (save(store, &group, lease.clone(), None), lease),
        Action::Take(lease) => {
            let taken = lease.given_to(Some(me.clone()));
            (save(store, &group, taken.clone(), Some(lease.counter)), taken)
        }
        Action::Drop(lease) => {
            let _gone_or_next_round = delete(store, &group, &lease.into()).await;
            return Acted::Nothing;
        }
        Action::Bury(worker) => {
            let _gone_or_next_round = delete(store, &group, &worker.into()).await;
            return Acted::Nothing;
        }
        Action::HandOver(..) => return Acted::Nothing,
    };
    match timeout(CALL_PATIENCE, calling).await {
        Ok(Ok(Saved::Done)) if lease.owner.as_ref() == Some(&me) => Acted::Got(lease, begun),
        // Somebody was first, or the answer was lost: the next round sees what is there.
        _ => Acted::Nothing,
    }
}

async fn save(
    store: &dyn LeaseStore,
    group: &str,
    lease: Lease,
    counter: Option<u64>,
) -> Result<Saved, LeaseError> {
    store.save(group, &lease.into(), counter).await
}

async fn delete(store: &dyn LeaseStore, group: &str, item: &Item) -> Option<Saved> {
    timeout(CALL_PATIENCE, store.delete(group, &item.key(), item.counter())).await.ok()?.ok()
}
