//! A feed for tests whose partitions split, merge and expire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};
use headwater::{Commit, EventFeed};
use tokio::sync::Notify;

/// Streams fall into this many buckets, and each bucket into one open partition.
const BUCKETS: usize = 32;

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
    /// Everything that was ever published, by partition.
    published: BTreeMap<PartitionId, Vec<FeedRecord>>,
}

#[derive(Debug, Default)]
struct Log {
    parents: Vec<PartitionId>,
    records: Vec<FeedRecord>,
    closed: bool,
    /// Everything up to and with this position is gone.
    trimmed: u64,
}

impl Feed {
    pub(crate) fn new(partitions: usize) -> Self {
        let mut state = State::default();
        let ids: Vec<_> = (0..partitions).map(|_| state.open(Vec::new())).collect();
        state.routes = (0..BUCKETS).map(|bucket| ids[bucket % partitions].clone()).collect();
        Self { state: Mutex::new(state), news: Notify::new() }
    }

    pub(crate) fn publish(&self, commit: &Arc<Commit>) {
        self.publish_as(commit, false);
    }

    pub(crate) fn publish_as(&self, commit: &Arc<Commit>, redelivered: bool) {
        self.state().push(commit, redelivered);
        self.news.notify_waiters();
    }

    /// Splits an open partition in two.
    pub(crate) fn split(&self, number: usize) {
        let mut state = self.state();
        let parent = state.open_partition(number);
        let children = [state.open(vec![parent.clone()]), state.open(vec![parent.clone()])];
        state.close(&parent);
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
        parents.iter().for_each(|parent| state.close(parent));
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

    /// Everything that was ever published, by partition.
    pub(crate) fn published(&self) -> BTreeMap<PartitionId, Vec<FeedRecord>> {
        self.state().published.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn open(&mut self, parents: Vec<PartitionId>) -> PartitionId {
        self.opened += 1;
        let id = PartitionId(format!("shardId-{:012}.1700000000123", self.opened).into());
        self.partitions.insert(id.clone(), Log { parents, ..Log::default() });
        id
    }

    fn close(&mut self, partition: &PartitionId) {
        self.partitions.get_mut(partition).unwrap().closed = true;
    }

    fn open_partition(&self, number: usize) -> PartitionId {
        let open: Vec<_> = self.partitions.iter().filter(|(_, log)| !log.closed).collect();
        open[number % open.len()].0.clone()
    }

    fn push(&mut self, commit: &Arc<Commit>, redelivered: bool) {
        let stream = commit.stream.as_str().bytes();
        let hash = stream.fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        self.position += 1;
        let position = Position(self.position.to_string().into());
        let route = self.routes[hash % BUCKETS].clone();
        let record = FeedRecord { position, commit: Arc::clone(commit), redelivered };
        self.published.entry(route.clone()).or_default().push(record.clone());
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
        let state = self.state();
        let unknown = |reason: &str| StoreError::Position { reason: reason.to_owned() };
        let log = state.partitions.get(partition).ok_or_else(|| unknown("no such partition"))?;
        let after = position.map_or(log.trimmed, |position| position.0.parse().unwrap());
        if after < log.trimmed {
            return Err(unknown("it has expired"));
        }
        let unread = log.records.iter().filter(|record| record.position.0.parse::<u64>().unwrap() > after);
        // Small, so that files and batches do not end together.
        let records: Vec<_> = unread.take(limit.min(7)).cloned().collect();
        let next = records.last().map(|record| &record.position).or(position).cloned();
        let last = log.records.last().map(|last| &last.position);
        let ended = log.closed && (last.is_none() || next.as_ref() >= last);
        Ok(FeedBatch { records, next, ended })
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        let _timed_out = tokio::time::timeout(timeout, self.news.notified()).await;
    }
}
