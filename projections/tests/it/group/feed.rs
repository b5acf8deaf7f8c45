//! A feed for tests whose partitions split and merge, and which loses, repeats and reorders records when it is told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{Behind, FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};
use headwater::{Commit, EventFeed};
use tokio::sync::Notify;

use super::random::Random;

/// Streams fall into this many buckets, and each bucket into one open partition.
const BUCKETS: usize = 64;

#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<PartitionId, Log>,
    routes: Vec<PartitionId>,
    position: u64,
    opened: usize,
    /// One of so many records is lost, one repeated, one held back; 0 is never.
    mischief: usize,
    /// One of so many reads fails; 0 is never.
    failures: usize,
    /// No read is answered.
    silent: bool,
    held_back: Vec<Arc<Commit>>,
    random: Option<Random>,
    reads: HashMap<PartitionId, u64>,
}

#[derive(Debug, Default)]
struct Log {
    parents: Vec<PartitionId>,
    records: Vec<FeedRecord>,
    closed: bool,
    /// Everything up to and with this position is gone.
    trimmed: u64,
}

/// What happens to a record.
enum Mishap {
    Nothing,
    Lost,
    Repeated,
    HeldBack,
}

impl Feed {
    pub(crate) fn new(partitions: usize) -> Self {
        let mut state = State::default();
        let ids: Vec<_> = (0..partitions).map(|_| state.open(Vec::new())).collect();
        state.routes = (0..BUCKETS).map(|bucket| ids[bucket % partitions].clone()).collect();
        Self { state: Mutex::new(state), news: Notify::new() }
    }

    /// From now on one of `mischief` records is lost, repeated or held back, and one of `failures` reads fails.
    pub(crate) fn misbehave(&self, mischief: usize, failures: usize, seed: u64) {
        let mut state = self.state();
        (state.mischief, state.failures, state.random) = (mischief, failures, Some(Random(seed)));
    }

    pub(crate) fn silence(&self, silent: bool) {
        self.state().silent = silent;
    }

    pub(crate) fn publish(&self, commit: &Arc<Commit>) {
        let mut state = self.state();
        match state.mishap() {
            Mishap::Lost => {}
            Mishap::HeldBack => state.held_back.push(Arc::clone(commit)),
            Mishap::Repeated => {
                state.push(commit);
                state.push(commit);
            }
            Mishap::Nothing => {
                state.push(commit);
                for commit in std::mem::take(&mut state.held_back) {
                    state.push(&commit);
                }
            }
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Splits an open partition, the `number`-th, in two.
    pub(crate) fn split(&self, number: usize) {
        let mut state = self.state();
        let parent = state.open_partition(number);
        let children = [state.open(vec![parent.clone()]), state.open(vec![parent.clone()])];
        state.partitions.get_mut(&parent).unwrap().closed = true;
        let buckets = state.routes.iter_mut().filter(|route| **route == parent);
        for (turn, route) in buckets.enumerate() {
            *route = children[turn % 2].clone();
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Merges two open partitions.
    pub(crate) fn merge(&self, one: usize, two: usize) {
        let mut state = self.state();
        let parents = [state.open_partition(one), state.open_partition(two)];
        if parents[0] == parents[1] {
            return;
        }
        let child = state.open(parents.to_vec());
        for parent in &parents {
            state.partitions.get_mut(parent).unwrap().closed = true;
        }
        for route in state.routes.iter_mut().filter(|route| parents.contains(route)) {
            *route = child.clone();
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Forgets every record there is, as if retention had passed over it; closed partitions go away.
    pub(crate) fn expire(&self) {
        let mut state = self.state();
        state.partitions.retain(|_, log| !log.closed);
        for log in state.partitions.values_mut() {
            if let Some(last) = log.records.last() {
                log.trimmed = last.position.0.parse().unwrap();
            }
            log.records.clear();
        }
    }

    /// How often each partition was read.
    pub(crate) fn reads(&self) -> HashMap<PartitionId, u64> {
        self.state().reads.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn open(&mut self, parents: Vec<PartitionId>) -> PartitionId {
        self.opened += 1;
        let id = PartitionId(format!("shard-{:03}", self.opened).into());
        self.partitions.insert(id.clone(), Log { parents, ..Log::default() });
        id
    }

    fn open_partition(&self, number: usize) -> PartitionId {
        let open: Vec<_> = self.partitions.iter().filter(|(_, log)| !log.closed).collect();
        open[number % open.len()].0.clone()
    }

    fn mishap(&mut self) -> Mishap {
        let times = self.mischief;
        let Some(random) = &mut self.random else { return Mishap::Nothing };
        match () {
            () if random.one_in(times) => Mishap::Lost,
            () if random.one_in(times) => Mishap::Repeated,
            () if random.one_in(times) => Mishap::HeldBack,
            () => Mishap::Nothing,
        }
    }

    fn push(&mut self, commit: &Arc<Commit>) {
        let hash = commit
            .stream
            .as_str()
            .bytes()
            .fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        self.position += 1;
        let position = Position(self.position.to_string().into());
        let route = self.routes[hash % BUCKETS].clone();
        let record = FeedRecord { position, commit: Arc::clone(commit), redelivered: false };
        self.partitions.get_mut(&route).unwrap().records.push(record);
    }
}

#[async_trait]
impl EventFeed for Feed {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let state = self.state();
        let partition = |(id, log): (&PartitionId, &Log)| {
            let mut partition = Partition::new(id.clone());
            partition.parents.clone_from(&log.parents);
            partition
        };
        Ok(state.partitions.iter().map(partition).collect())
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        tokio::task::yield_now().await;
        let (silent, fails) = {
            let mut state = self.state();
            *state.reads.entry(partition.clone()).or_default() += 1;
            let failures = state.failures;
            (state.silent, state.random.as_mut().is_some_and(|random| random.one_in(failures)))
        };
        if silent {
            std::future::pending::<()>().await;
        }
        if fails {
            return Err(StoreError::Unavailable { attempted: "read".to_owned(), source: "shaky".into() });
        }
        let state = self.state();
        let unknown = |reason: &str| StoreError::Position { reason: reason.to_owned() };
        let log = state.partitions.get(partition).ok_or_else(|| unknown("no such partition"))?;
        let after = position.map_or(log.trimmed, |position| position.0.parse().unwrap());
        if after < log.trimmed {
            return Err(unknown("it has expired"));
        }
        let unread = log.records.iter().filter(|record| record.position.0.parse::<u64>().unwrap() > after);
        let records: Vec<_> = unread.take(limit).cloned().collect();
        let next = records.last().map(|record| &record.position).or(position).cloned();
        let ended = log.closed && records.len() < limit;
        Ok(FeedBatch { records, next, ended })
    }

    fn behind(&self, partition: &PartitionId, position: Option<&Position>) -> Behind {
        let state = self.state();
        let Some(log) = state.partitions.get(partition) else { return Behind::default() };
        let after = position.map_or(log.trimmed, |position| position.0.parse().unwrap());
        let left = log.records.iter().filter(|record| record.position.0.parse::<u64>().unwrap() > after);
        Behind { records: Some(left.count() as u64), time: None }
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        let _timed_out = tokio::time::timeout(timeout, self.news.notified()).await;
    }
}
