//! The simulated feed: partitions that split and merge, records that are lost, repeated and late.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::store::{FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};
use headwater::{Commit, StreamName};
use headwater_proof::simulation::Random;

/// Streams fall into this many buckets, and each bucket into one open partition.
const BUCKETS: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Feed {
    partitions: BTreeMap<PartitionId, Log>,
    routes: Vec<PartitionId>,
    position: u64,
    opened: usize,
    held_back: Vec<Arc<Commit>>,
}

#[derive(Debug, Default)]
struct Log {
    parents: Vec<PartitionId>,
    records: Vec<FeedRecord>,
    closed: bool,
    /// Everything up to and with this position is gone.
    trimmed: Option<Position>,
}

impl Feed {
    pub(crate) fn new(partitions: usize) -> Self {
        let mut feed = Self::default();
        let ids: Vec<_> = (0..partitions).map(|_| feed.open(Vec::new())).collect();
        feed.routes = (0..BUCKETS).map(|bucket| ids[bucket % partitions].clone()).collect();
        feed
    }

    /// Publishes a commit; one of so many is lost (if that is allowed), one comes twice, one late.
    pub(crate) fn publish(&mut self, commit: &Arc<Commit>, random: &mut Random, rarity: u64, loses: bool) {
        match () {
            () if loses && random.one_in(rarity) => {}
            () if random.one_in(rarity) => {
                self.push(commit, false);
                self.push(commit, true);
            }
            () if random.one_in(rarity) => self.held_back.push(Arc::clone(commit)),
            () => {
                self.push(commit, false);
                if random.one_in(3) {
                    self.release();
                }
            }
        }
    }

    /// Publishes what is late.
    pub(crate) fn release(&mut self) {
        for commit in std::mem::take(&mut self.held_back) {
            self.push(&commit, true);
        }
    }

    /// Splits an open partition in two.
    pub(crate) fn split(&mut self, random: &mut Random) {
        let parent = self.open_partition(random);
        let children = [self.open(vec![parent.clone()]), self.open(vec![parent.clone()])];
        self.log(&parent).closed = true;
        let routes = self.routes.iter_mut().filter(|route| **route == parent);
        for (turn, route) in routes.enumerate() {
            *route = children[turn % 2].clone();
        }
    }

    /// Merges two open partitions.
    pub(crate) fn merge(&mut self, random: &mut Random) {
        let parents = [self.open_partition(random), self.open_partition(random)];
        if parents[0] == parents[1] {
            return;
        }
        let child = self.open(parents.to_vec());
        parents.iter().for_each(|parent| self.log(parent).closed = true);
        for route in self.routes.iter_mut().filter(|route| parents.contains(route)) {
            *route = child.clone();
        }
    }

    /// Forgets every record there is, as if retention had passed over it; closed partitions go away.
    pub(crate) fn expire(&mut self) {
        self.partitions.retain(|_, log| !log.closed);
        for log in self.partitions.values_mut() {
            if let Some(last) = log.records.last() {
                log.trimmed = Some(last.position.clone());
            }
            log.records.clear();
        }
    }

    pub(crate) fn partitions(&self) -> Vec<Partition> {
        let partition = |(id, log): (&PartitionId, &Log)| {
            let mut partition = Partition::new(id.clone());
            partition.parents.clone_from(&log.parents);
            partition
        };
        self.partitions.iter().map(partition).collect()
    }

    pub(crate) fn read(
        &self,
        partition: &PartitionId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let unknown = || StoreError::Position { reason: "no such partition".to_owned() };
        let log = self.partitions.get(partition).ok_or_else(unknown)?;
        if let (Some(after), Some(trimmed)) = (after, &log.trimmed)
            && after < trimmed
        {
            return Err(StoreError::Position { reason: "it has expired".to_owned() });
        }
        let unread = log.records.iter().filter(|record| after.is_none_or(|after| record.position > *after));
        let records: Vec<_> = unread.take(limit).cloned().collect();
        let next = records.last().map(|record| &record.position).or(after).cloned();
        let ended = log.closed && records.len() < limit;
        Ok(FeedBatch { records, next, ended })
    }

    /// The records of a partition behind a position, up to and with another; to its end without.
    pub(crate) fn between(
        &self,
        partition: &PartitionId,
        after: Option<&Position>,
        until: Option<&Position>,
    ) -> impl Iterator<Item = &FeedRecord> {
        let records = self.partitions.get(partition).into_iter().flat_map(|log| &log.records);
        records.filter(move |record| {
            after.is_none_or(|after| record.position > *after)
                && until.is_none_or(|until| record.position <= *until)
        })
    }

    fn open(&mut self, parents: Vec<PartitionId>) -> PartitionId {
        self.opened += 1;
        let id = PartitionId(format!("shard-{:03}", self.opened).into());
        self.partitions.insert(id.clone(), Log { parents, ..Log::default() });
        id
    }

    fn log(&mut self, partition: &PartitionId) -> &mut Log {
        self.partitions.get_mut(partition).expect("it was opened")
    }

    fn open_partition(&self, random: &mut Random) -> PartitionId {
        let open: Vec<_> = self.partitions.iter().filter(|(_, log)| !log.closed).collect();
        open[random.index(open.len())].0.clone()
    }

    fn push(&mut self, commit: &Arc<Commit>, redelivered: bool) {
        self.position += 1;
        let position = Position(self.position.to_string().into());
        let route = self.routes[bucket(&commit.stream)].clone();
        self.log(&route).records.push(FeedRecord { position, commit: Arc::clone(commit), redelivered });
    }
}

fn bucket(stream: &StreamName) -> usize {
    let mix = |hash: usize, byte: u8| hash.wrapping_mul(31).wrapping_add(byte.into());
    stream.as_str().bytes().fold(7, mix) % BUCKETS
}
