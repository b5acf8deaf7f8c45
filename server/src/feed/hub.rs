//! The tails of all partitions, while there are subscribers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater::Timestamp;
use headwater::store::{EventFeed, Partition, PartitionId, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::follower::Follower;
use super::limits::{CLOCKS_APART, LINGER, LISTING, OWN_READS, SHORTEST_LOOK, SUBSCRIBERS};
use super::place::Place;
use super::tail::Tail;
use crate::{Problem, ProblemKind};

/// Where a subscriber begins.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// With the oldest record the feed has.
    Oldest,
    /// With what comes from now on.
    Now,
    /// With what was recorded since.
    Since(Timestamp),
    /// Where a cursor says.
    Cursor(String),
}

/// What subscribers share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) grown: watch::Sender<u64>,
    pub(super) own_reads: Semaphore,
    subscribers: AtomicUsize,
    tails: Mutex<Tails>,
}

#[derive(Debug, Default)]
struct Tails {
    running: bool,
    by_partition: BTreeMap<PartitionId, Arc<Tail>>,
}

/// A place among the subscribers; given up when dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Hub>);

impl Hub {
    pub(crate) fn new(feed: Arc<dyn EventFeed>) -> Arc<Self> {
        Arc::new(Self {
            feed,
            grown: watch::Sender::new(0),
            own_reads: Semaphore::new(OWN_READS),
            subscribers: AtomicUsize::new(0),
            tails: Mutex::new(Tails::default()),
        })
    }

    /// The partitions there are now.
    pub(crate) async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        self.feed.partitions().await
    }

    /// Somebody who wants a page and no more.
    pub(crate) async fn reader(self: &Arc<Self>, start: &Start) -> Result<Follower, Problem> {
        let partitions = self.partitions().await?;
        Follower::new(Arc::clone(self), self.seat()?, &partitions, start, |_| now())
    }

    /// Somebody who stays.
    pub(crate) async fn subscribe(self: &Arc<Self>, start: &Start) -> Result<Follower, Problem> {
        let seat = self.seat()?;
        let partitions = self.partitions().await?;
        self.run(&partitions);
        let end = |partition: &PartitionId| match self.tail(partition) {
            Some(tail) => tail.ring().end().clone(),
            None => now(),
        };
        Follower::new(Arc::clone(self), seat, &partitions, start, end)
    }

    pub(super) fn tail(&self, partition: &PartitionId) -> Option<Arc<Tail>> {
        self.tails().by_partition.get(partition).cloned()
    }

    fn seat(self: &Arc<Self>) -> Result<Seat, Problem> {
        let seat = Seat(Arc::clone(self));
        if self.subscribers.fetch_add(1, Ordering::AcqRel) >= SUBSCRIBERS {
            let detail =
                format!("{SUBSCRIBERS} subscribers are served already: try another instance, or later");
            return Err(Problem::new(ProblemKind::Overloaded, detail));
        }
        Ok(seat)
    }

    /// Starts the tails, unless they are running.
    fn run(self: &Arc<Self>, partitions: &[Partition]) {
        let mut tails = self.tails();
        if tails.running {
            return;
        }
        tails.running = true;
        let place = now();
        tails.by_partition = partitions
            .iter()
            .map(|partition| (partition.id.clone(), Arc::new(Tail::new(partition.id.clone(), place.clone()))))
            .collect();
        // It ends by itself when nobody is left, and with the runtime at the latest: it holds nothing that must be saved.
        tokio::spawn(Arc::clone(self).keep());
    }

    /// Keeps a tail for each partition, until there are no subscribers.
    async fn keep(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        let started: Vec<Arc<Tail>> = self.tails().by_partition.values().cloned().collect();
        for tail in started {
            tasks.spawn(tail.run(Arc::clone(&self.feed), self.grown.clone()));
        }
        let mut lonely: Option<Instant> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LISTING) => {}
                // The end of a partition is news: its children are to be found soon.
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "the tail of a partition panicked");
                    }
                    tokio::time::sleep(SHORTEST_LOOK).await;
                }
            }
            match self.partitions().await {
                Ok(partitions) => self.update(&partitions, &mut tasks),
                Err(error) => tracing::warn!(%error, "the partitions of the feed cannot be listed for now"),
            }
            if self.subscribers.load(Ordering::Acquire) > 0 {
                lonely = None;
            } else if lonely.get_or_insert_with(Instant::now).elapsed() >= LINGER {
                let mut tails = self.tails();
                // Looked at under the lock: whoever comes now starts them anew.
                if self.subscribers.load(Ordering::Acquire) == 0 {
                    *tails = Tails::default();
                    return;
                }
            }
        }
    }

    /// Adds tails of partitions that are new, and drops those of partitions that are gone.
    fn update(&self, partitions: &[Partition], tasks: &mut JoinSet<()>) {
        let mut tails = self.tails();
        tails.by_partition.retain(|id, _| partitions.iter().any(|partition| partition.id == *id));
        for partition in partitions {
            if !tails.by_partition.contains_key(&partition.id) {
                let tail = Arc::new(Tail::new(partition.id.clone(), Place::Begin));
                tails.by_partition.insert(partition.id.clone(), Arc::clone(&tail));
                tasks.spawn(tail.run(Arc::clone(&self.feed), self.grown.clone()));
                self.grown.send_modify(|count| *count += 1);
            }
        }
    }

    fn tails(&self) -> MutexGuard<'_, Tails> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.subscribers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// From now on, by the clock of this machine.
fn now() -> Place {
    let now = Timestamp::now();
    Place::Since(now.checked_sub(CLOCKS_APART).unwrap_or(now))
}
