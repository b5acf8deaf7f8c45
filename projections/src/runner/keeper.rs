//! The keeper of one lease: renews it beside the reader of its partition, and ends the reader when the lease is lost.

use std::sync::Arc;
use std::time::Duration;

use headwater::store::PartitionId;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::Stop;
use super::catch_up::Asks;
use super::limits::LAST_TRIES;
use super::progress::Progress;
use super::work::{Assignment, Work};
use crate::group::limits::{CALL_PATIENCE, CHECKPOINTS, EXPIRY, RENEW_AGAIN, RENEW_EVERY, STOP_PATIENCE};
use crate::group::{Item, Lease, LeaseStore, Saved, WorkerId};

/// What a keeper owns.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) store: Arc<dyn LeaseStore>,
    pub(super) group: Arc<str>,
    /// The lease as it was saved last.
    pub(super) lease: Lease,
    /// When the call began that saved it.
    pub(super) saved_at: Instant,
    pub(super) progress: Arc<Progress>,
    /// What is done with the partition.
    pub(super) work: Arc<dyn Work>,
    /// How it is to end, once that is known.
    pub(super) end: watch::Receiver<Option<End>>,
}

/// How a lease is to be given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// To nobody.
    Release,
    /// To this worker.
    HandOver(WorkerId),
    /// Delete it: the feed does not have the partition any more.
    Delete,
}

/// How a lease was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Its partition was read to its end.
    Ended,
    /// As it was asked for.
    GivenUp,
    /// Somebody else has it, or may have it by now.
    Lost,
}

/// Whether a write of the own lease went well.
#[derive(Debug, PartialEq, Eq)]
enum Write {
    Done,
    Lost,
    Unknown,
}

/// A task that ends with its owner.
struct Task(JoinHandle<bool>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// Ends it now and waits until it is gone, so that its memory is.
    async fn end(mut self) {
        self.0.abort();
        let _ended_or_panicked = (&mut self.0).await;
    }
}

impl Keeper {
    /// Keeps the lease until it ends, and says which partition it was.
    ///
    /// # Errors
    /// When the reader panicked.
    pub(super) async fn keep(mut self) -> Result<(PartitionId, Kept), JoinError> {
        let (stop_now, stop) = Stop::new();
        let asks = Asks { store: Arc::clone(&self.store), group: Arc::clone(&self.group) };
        let (lease, progress) = (self.lease.clone(), Arc::clone(&self.progress));
        let assignment = Assignment { lease, progress, asks, stop };
        let work = Arc::clone(&self.work);
        let mut reading = Task(tokio::spawn(async move { work.read(assignment).await }));
        let mut renewal = self.saved_at + RENEW_EVERY;
        let mut end = self.end.clone();
        let mut deadline = None;
        let kept = loop {
            tokio::select! {
                // Before anything else: a reader that is done has nothing to be renewed for.
                biased;
                ended = &mut reading.0 => break self.finish(ended?).await,
                () = asked(&mut end), if deadline.is_none() => {
                    stop_now.send_replace(true);
                    deadline = Some(Instant::now() + STOP_PATIENCE);
                }
                () = sleep_until(deadline.unwrap_or(renewal)), if deadline.is_some() => {
                    reading.end().await;
                    break self.finish(false).await;
                }
                () = sleep_until(renewal) => match self.save(self.lease.owner.clone()).await {
                    Write::Done => renewal = self.saved_at + RENEW_EVERY,
                    Write::Unknown if self.saved_at.elapsed() < EXPIRY => renewal = Instant::now() + RENEW_AGAIN,
                    lost => {
                        let partition = &self.lease.partition;
                        tracing::warn!(%partition, ?lost, "the lease is lost: reading ends, and memory is dropped");
                        reading.end().await;
                        break Kept::Lost;
                    }
                },
            }
        };
        Ok((self.lease.partition, kept))
    }

    /// Gives the lease up after its reader has ended.
    async fn finish(&mut self, ended: bool) -> Kept {
        let end = self.end.borrow().clone();
        let kept = if ended { Kept::Ended } else { Kept::GivenUp };
        let to = match &end {
            Some(End::HandOver(worker)) if !ended => Some(worker.clone()),
            _ => None,
        };
        for _ in 0..LAST_TRIES {
            let written = match end {
                Some(End::Delete) => self.delete().await,
                _ => self.save(to.clone()).await,
            };
            match written {
                Write::Done => return kept,
                Write::Lost => return Kept::Lost,
                Write::Unknown => tokio::time::sleep(RENEW_AGAIN).await,
            }
        }
        tracing::warn!(partition = %self.lease.partition, "a lease could not be released: it has to expire");
        Kept::Lost
    }

    /// Saves the lease with the checkpoints there are now, for this worker or for another.
    async fn save(&mut self, owner: Option<WorkerId>) -> Write {
        // The second try is for a first one whose answer was lost in an earlier call.
        for _ in 0..2 {
            let begun = Instant::now();
            let next = self.next(owner.clone());
            let saving =
                async { self.store.save(&self.group, &next.clone().into(), Some(self.lease.counter)).await };
            match timeout(self.patience(), saving).await {
                Ok(Ok(Saved::Done)) => {
                    (self.lease, self.saved_at) = (next, begun);
                    return Write::Done;
                }
                Ok(Ok(Saved::Lost(Some(there)))) => match *there {
                    Item::Lease(there) if there == next => {
                        (self.lease, self.saved_at) = (there, begun);
                        return Write::Done;
                    }
                    Item::Lease(there) if self.is_own(&there) => self.lease.counter = there.counter,
                    _ => return Write::Lost,
                },
                Ok(Ok(Saved::Lost(None))) => return Write::Lost,
                Ok(Err(error)) => {
                    tracing::warn!(error = %error, "a lease cannot be saved, trying again");
                    return Write::Unknown;
                }
                Err(_) => return Write::Unknown,
            }
        }
        Write::Unknown
    }

    /// Whether an earlier write of this very incarnation left this.
    fn is_own(&self, there: &Lease) -> bool {
        there.incarnation == self.lease.incarnation && there.owner == self.lease.owner
    }

    async fn delete(&mut self) -> Write {
        let key = Item::Lease(self.lease.clone()).key();
        let deleting = async { self.store.delete(&self.group, &key, self.lease.counter).await };
        match timeout(self.patience(), deleting).await {
            Ok(Ok(Saved::Done)) => Write::Done,
            Ok(Ok(Saved::Lost(_))) => Write::Lost,
            Ok(Err(_)) | Err(_) => Write::Unknown,
        }
    }

    fn next(&self, owner: Option<WorkerId>) -> Lease {
        let (mut checkpoints, losses) = self.progress.checkpoints();
        if checkpoints.len() > CHECKPOINTS {
            let names = self.work.names();
            checkpoints.retain(|name, _| names.contains(name));
        }
        let given = u64::from(owner != self.lease.owner);
        let (counter, incarnation) = (self.lease.counter + 1, self.lease.incarnation + given);
        Lease { owner, counter, incarnation, checkpoints, losses, ..self.lease.clone() }
    }

    /// A renewal that takes longer than the lease lasts is of no use.
    fn patience(&self) -> Duration {
        let left = (self.saved_at + EXPIRY).saturating_duration_since(Instant::now());
        left.clamp(RENEW_AGAIN, CALL_PATIENCE)
    }
}

/// Waits until it is known how the lease is to end.
async fn asked(end: &mut watch::Receiver<Option<End>>) {
    if end.wait_for(Option::is_some).await.is_err() {
        // Nobody is left to ask.
        std::future::pending::<()>().await;
    }
}
