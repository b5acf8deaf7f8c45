//! A group of workers in one process and on one clock, with everything they share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{Append, PartitionId};
use headwater::{Event, EventFeed, EventStore, Expected, Version};
use headwater_projections::group::MemoryLeases;
use headwater_projections::{Control, LeaseStore, PartitionState, RowStore, RunError, Runner};
use headwater_store_memory::MemoryStore;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::feed::Feed;
use super::ledger::SlowLedger;
use super::random::Random;
use super::slow_rows::SlowRows;
use super::stores::Leases;
use crate::harness::live;
use crate::model::{AccountEvent, Balance, Total, account, deposited, plain_balances, plain_totals};

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) random: Random,
    pub(crate) ledger: Arc<SlowLedger>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) rows: Arc<SlowRows>,
    pub(crate) all_leases: Arc<MemoryLeases>,
    /// The ways to the leases of every worker there ever was.
    all_ways: Vec<Arc<Leases>>,
    pub(crate) workers: Vec<Option<Running>>,
    pub(crate) plain: BTreeMap<String, Vec<AccountEvent>>,
    /// One of so many calls of a store fails.
    rarity: usize,
}

pub(crate) struct Running {
    pub(crate) control: Control,
    pub(crate) leases: Arc<Leases>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl World {
    #[expect(clippy::print_stdout, reason = "shown of a test that fails")]
    pub(crate) fn new(partitions: usize, workers: usize, rarity: usize, seed: u64) -> Self {
        println!("seed {seed}");
        Self {
            seed,
            random: Random(seed),
            ledger: Arc::new(SlowLedger::new(MemoryStore::new(), rarity, seed + 3)),
            feed: Arc::new(Feed::new(partitions)),
            rows: Arc::new(SlowRows::new(seed + 1, rarity)),
            all_leases: Arc::new(MemoryLeases::new()),
            all_ways: Vec::new(),
            workers: (0..workers).map(|_| None).collect(),
            plain: BTreeMap::new(),
            rarity,
        }
    }

    pub(crate) fn runner(&self) -> Runner {
        Runner::new(
            Arc::clone(&self.ledger) as Arc<dyn EventStore>,
            Arc::clone(&self.feed) as Arc<dyn EventFeed>,
            Arc::clone(&self.rows) as Arc<dyn RowStore>,
        )
    }

    pub(crate) fn start(&mut self, slot: usize) {
        let runner = self.runner().projection::<Balance>().unwrap().projection::<Total>().unwrap();
        self.start_with(slot, runner);
    }

    pub(crate) fn start_with(&mut self, slot: usize, runner: Runner) {
        let seed = self.random.below(usize::MAX) as u64;
        let leases = Arc::new(Leases::new(&self.all_leases, seed, self.rarity));
        self.all_ways.push(Arc::clone(&leases));
        let runner = runner.group("accounts").unwrap().leases(Arc::clone(&leases) as Arc<dyn LeaseStore>);
        let control = runner.control();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(runner.run(async { drop(stopped.await) }));
        assert!(self.workers[slot].replace(Running { control, leases, stop, task }).is_none());
    }

    /// Ends a worker as a kill would, wherever it is.
    pub(crate) async fn kill(&mut self, slot: usize) {
        if let Some(running) = self.workers[slot].take() {
            running.task.abort();
            assert!(running.task.await.unwrap_err().is_cancelled());
        }
    }

    pub(crate) async fn stop(&mut self, slot: usize) {
        if let Some(running) = self.workers[slot].take() {
            running.stop.send(()).unwrap();
            running.task.await.unwrap().unwrap();
        }
    }

    pub(crate) fn control(&self, slot: usize) -> &Control {
        &self.workers[slot].as_ref().unwrap().control
    }

    /// The partitions that a worker reads.
    pub(crate) fn reading(&self, slot: usize) -> Vec<PartitionId> {
        let Some(running) = &self.workers[slot] else { return Vec::new() };
        let here = |state: &PartitionState| {
            matches!(state, PartitionState::Starting | PartitionState::Reading | PartitionState::CaughtUp)
        };
        let partitions = running.control.status().partitions;
        partitions.into_iter().filter(|(_, status)| here(&status.state)).map(|(id, _)| id).collect()
    }

    /// Appends one commit and publishes it.
    pub(crate) async fn append(&mut self, id: &str, events: Vec<AccountEvent>) -> Version {
        let data = events.iter().map(|event| event.encode().unwrap()).collect();
        let appended = self.ledger.append(Append::new(account(id), Expected::Any, data)).await.unwrap();
        self.feed.publish(&appended.commit);
        self.plain.entry(id.to_owned()).or_default().extend(events);
        appended.commit.last()
    }

    /// Appends a few commits to random accounts.
    pub(crate) async fn load(&mut self, commits: usize) {
        for _ in 0..commits {
            let id = self.random.below(40).to_string();
            let mut events = Vec::new();
            for _ in 0..=self.random.below(3) {
                let day = ["mon", "tue", "wed"][self.random.below(3)];
                events.push(match self.random.below(10) {
                    0..=6 => deposited(self.random.below(100) as i64, day),
                    7 | 8 => AccountEvent::Noted {},
                    _ => AccountEvent::Closed {},
                });
            }
            self.append(&id, events).await;
        }
    }

    /// Deposits to random accounts: no row goes away.
    pub(crate) async fn load_open(&mut self, commits: usize) {
        for _ in 0..commits {
            let id = self.random.below(40).to_string();
            let amount = self.random.below(100) as i64;
            self.append(&id, vec![deposited(amount, "tue")]).await;
        }
    }

    /// A last commit for every account, which nothing happens to: the hint that brings in what was lost.
    pub(crate) async fn hint(&mut self) {
        self.feed.misbehave(0, 0, 0);
        for id in self.plain.keys().cloned().collect::<Vec<_>>() {
            self.append(&id, vec![AccountEvent::Noted {}]).await;
        }
    }

    /// Whether every row is what a plain fold of the ledger gives.
    pub(crate) async fn is_exact(&self) -> bool {
        let rows = self.rows.inside();
        let balances =
            live::<Balance>(rows).await.into_iter().map(|(key, row)| (key, (row.balance, row.events)));
        let totals = live::<Total>(rows).await.into_iter().map(|(key, row)| (key, (row.total, row.count)));
        balances.collect::<BTreeMap<_, _>>() == plain_balances(&self.plain)
            && totals.collect::<BTreeMap<_, _>>() == plain_totals(&self.plain)
    }

    /// Waits for something, and says how long it took.
    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !done(self).await {
            assert!(begun.elapsed() < Duration::from_secs(300), "seed {}: {what}", self.seed);
            self.assert_leases_are_whole();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.assert_leases_are_whole();
        begun.elapsed()
    }

    fn assert_leases_are_whole(&self) {
        let broken: Vec<_> = self.all_ways.iter().filter_map(|leases| leases.broken()).collect();
        assert!(broken.is_empty(), "seed {}: {broken:?}", self.seed);
    }

    pub(crate) async fn until_exact(&self) -> Duration {
        self.until("rows equal a plain fold of the ledger", async |world| world.is_exact().await).await
    }

    /// Waits until the open partitions are shared out like this.
    pub(crate) async fn until_shared(&self, shares: &[usize]) -> Duration {
        let shared = async |world: &Self| {
            let mut now: Vec<_> = (0..world.workers.len()).map(|slot| world.reading(slot).len()).collect();
            now.sort_unstable();
            now == shares
        };
        self.until(&format!("partitions are shared out as {shares:?}"), shared).await
    }
}
