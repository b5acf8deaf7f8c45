//! A cohort: projections that read a partition together, one read of the feed for all of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use headwater::store::{FeedBatch, Position};
use headwater::{Commit, EventFeed};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use super::backoff::{Backoff, Stop};
use super::kind::Keeping;
use super::lane::Lane;
use super::limits::{BATCH_RECORDS, BATCH_RECORDS_LEAST, BATCH_TIME, SPARE_PATIENCE};
use super::pace::Pace;
use super::work::{Assignment, Unread};
use crate::group::Checkpoint;

/// What all cohorts of a partition work with.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) assignment: Assignment,
    pub(super) paused: watch::Receiver<BTreeSet<&'static str>>,
    /// The generations that are kept.
    pub(super) kept: watch::Receiver<Arc<[Keeping]>>,
}

/// A projection in a partition.
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) generation: Arc<str>,
    pub(super) lane: Arc<Mutex<dyn Lane>>,
    /// The position of the last record that is done; `None` before the oldest.
    pub(super) at: Option<Position>,
    /// Whether it could not keep up with a generation that is live.
    pub(super) slow: bool,
    /// Whether it reads apart from the others.
    pub(super) apart: bool,
}

/// Projections that read together.
#[derive(Default)]
pub(super) struct Cohort {
    pub(super) places: Vec<Place>,
    size: BatchSize,
    backoff: Backoff,
}

/// What became of one batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is done.
    Done,
    /// There was nothing to read.
    Idle,
    /// The partition is closed, and everything in it is done.
    Ended,
    /// It was not read, or a stop came before it was done.
    Not,
}

impl Cohort {
    pub(super) fn of(places: Vec<Place>) -> Self {
        Self { places, ..Self::default() }
    }

    /// Where it reads on: behind the projection that is furthest back.
    pub(super) fn from(&self) -> Option<Position> {
        self.places.iter().map(|place| &place.at).min().cloned().flatten()
    }

    /// Reads one batch and brings it into the rows of each projection.
    pub(super) async fn turn(&mut self, context: &Context) -> Turn {
        let from = self.from();
        let Some(batch) = self.read(context, from.as_ref()).await else { return Turn::Not };
        self.backoff = Backoff::default();
        let (records, idle) = (batch.records.len(), batch.records.is_empty());
        let begun = Instant::now();
        let newest = batch.records.iter().map(|record| record.commit.recorded_at).max();
        let done = self.carry(context, from.as_ref(), &batch).await;
        context.assignment.dealt_with(records, newest.filter(|_| done));
        self.size.learn(begun.elapsed(), records);
        if done {
            let behind = context.feed.behind(context.assignment.partition(), batch.next.as_ref());
            let pace = Pace::of(&batch, behind);
            for place in self.places.iter().filter(|place| !place.slow) {
                context.assignment.progress.paced(&place.generation, pace);
            }
        }
        match (done, batch.ended, idle) {
            (false, ..) => Turn::Not,
            (true, true, _) => Turn::Ended,
            (true, false, true) => Turn::Idle,
            (true, false, false) => Turn::Done,
        }
    }

    /// The generations that do not answer come before those that do: one that is about to be promoted, or to be gone back
    /// to, is at no moment behind what queries have seen. One that does not get on in time is left behind and holds up
    /// nobody.
    async fn carry(&mut self, context: &Context, from: Option<&Position>, batch: &FeedBatch) -> bool {
        let live: BTreeSet<_> = {
            let kept = context.kept.borrow();
            kept.iter().filter(|kept| kept.live).map(|kept| Arc::clone(&kept.generation)).collect()
        };
        let (first, last): (Vec<_>, Vec<_>) =
            self.places.iter_mut().partition(|place| !live.contains(&place.generation));
        let spare = !last.is_empty();
        let carrying = first.into_iter().map(|place| async {
            if !spare {
                return place.carry(context, from, batch).await;
            }
            match timeout(SPARE_PATIENCE, place.carry(context, from, batch)).await {
                Ok(done) => done,
                Err(_) => {
                    tracing::warn!(generation = %place.generation, "a generation that is not live is left behind");
                    place.slow = true;
                    true
                }
            }
        });
        if !join_all(carrying).await.into_iter().all(|done| done) {
            return false;
        }
        let carrying = last.into_iter().map(|place| place.carry(context, from, batch));
        join_all(carrying).await.into_iter().all(|done| done)
    }

    async fn read(&mut self, context: &Context, from: Option<&Position>) -> Option<FeedBatch> {
        match context.assignment.read_after(context.feed.as_ref(), from, self.size.records()).await {
            Ok(batch) => return Some(batch),
            Err(Unread::Lost(error)) => {
                // Never a silent jump: the loss is logged, shown and counted in the lease, and nobody goes on before it is
                // written down that the ledger makes it good.
                tracing::error!(
                    partition = %context.assignment.partition(),
                    position = from.map(tracing::field::display),
                    error = %error,
                    "the feed does not have the checkpoint any more: reading from its oldest record, and from the ledger \
                     what came before"
                );
                let lost = self.places.iter().map(|place| Arc::clone(&place.generation)).collect();
                if context.assignment.catch_up(&lost).await {
                    self.places.iter_mut().for_each(|place| place.at = None);
                } else {
                    self.backoff.pause_or_stop(context.assignment.stop()).await;
                }
            }
            Err(Unread::Failed) => self.backoff.pause_or_stop(context.assignment.stop()).await,
        }
        None
    }
}

impl Place {
    /// Brings what is new of a batch into the rows, however often it takes; `false` if a stop came first.
    async fn carry(&mut self, context: &Context, from: Option<&Position>, batch: &FeedBatch) -> bool {
        // One that is ahead of the others of its cohort has done the first of these already.
        let ahead = self.at.as_ref().filter(|at| Some(*at) != from);
        let new = |position: &Position| ahead.is_none_or(|at| position > at);
        let records = batch.records.iter().filter(|record| new(&record.position));
        let commits: Vec<_> = records.map(|record| Arc::clone(&record.commit)).collect();
        if !commits.is_empty() && !self.apply(context, &commits).await {
            return false;
        }
        let next = batch.next.clone().filter(new).or(self.at.take());
        let checkpoint = match &next {
            _ if batch.ended => Some(Checkpoint::End),
            next => next.clone().map(Checkpoint::At),
        };
        self.at = next;
        if let Some(checkpoint) = checkpoint {
            context.assignment.done(&self.generation, checkpoint);
        }
        true
    }

    /// Brings commits into the rows, however often it takes; `false` if a stop came first, or the generation is not kept
    /// any more.
    async fn apply(&self, context: &Context, commits: &[Arc<Commit>]) -> bool {
        let (stop, kept) = (context.assignment.stop(), &context.kept);
        carry(self.name, &self.generation, &self.lane, commits, stop, kept).await
    }
}

/// Brings commits into the rows of a generation, however often it takes; `false` if a stop came first, or the generation is
/// not kept any more.
pub(super) async fn carry(
    projection: &'static str,
    generation: &str,
    lane: &Mutex<dyn Lane>,
    commits: &[Arc<Commit>],
    stop: &Stop,
    kept: &watch::Receiver<Arc<[Keeping]>>,
) -> bool {
    let mut backoff = Backoff::default();
    loop {
        let carried = lane.lock().await.carry(commits).await;
        match carried {
            Ok(()) => return true,
            Err(error) if error.retry_helps() => {
                tracing::warn!(projection, error = %error, "a batch is not done yet, trying again");
            }
            Err(error) => {
                tracing::error!(projection, error = %error, "a batch cannot be done, the partition waits for it");
            }
        }
        let is_kept = kept.borrow().iter().any(|kept| *kept.generation == *generation);
        if !is_kept || stop.is_requested() {
            return false;
        }
        backoff.pause_or_stop(stop).await;
    }
}

/// How many records or commits are asked for: fewer after a slow batch, more after a quick one that was full.
pub(super) struct BatchSize(usize);

impl Default for BatchSize {
    fn default() -> Self {
        Self(BATCH_RECORDS)
    }
}

impl BatchSize {
    pub(super) fn records(&self) -> usize {
        self.0
    }

    pub(super) fn learn(&mut self, took: Duration, records: usize) {
        if took > BATCH_TIME {
            self.0 = (self.0 / 2).max(BATCH_RECORDS_LEAST);
        } else if took < BATCH_TIME / 4 && records >= self.0 {
            self.0 = (self.0 * 2).min(BATCH_RECORDS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_get_smaller_when_they_are_slow_and_larger_again_when_full_ones_are_quick() {
        let mut size = BatchSize::default();
        for _ in 0..20 {
            size.learn(BATCH_TIME * 2, size.0);
        }
        assert_eq!(size.0, BATCH_RECORDS_LEAST);
        size.learn(Duration::ZERO, size.0 - 1);
        assert_eq!(size.0, BATCH_RECORDS_LEAST, "a batch that was not full says nothing");
        for _ in 0..20 {
            size.learn(Duration::ZERO, size.0);
        }
        assert_eq!(size.0, BATCH_RECORDS);
    }
}
