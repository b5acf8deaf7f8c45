//! The slots of a generation that is being filled, shared out among all processes that fill it: leases in a group of
//! their own, held by counter, as those of partitions are.

use std::sync::Arc;

use headwater::store::{Partition, PartitionId};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::BackfillError;
use super::Slot;
use super::limits::LOOK_EVERY;
use super::progress::Phase;
use super::target::{Context, Filled, Target};
use crate::Parked;
use crate::group::limits::{EXPIRY, RENEW_AGAIN, RENEW_EVERY};
use crate::group::{Checkpoint, Item, ItemKey, Items, Lease, LeaseError, Observed, Saved, WorkerId};

/// The checkpoint of a slot whose rows are written, and of a cut that is settled.
const DONE: &str = "done";
/// The checkpoint of a slot that was halved.
const HALVED: &str = "halved";
/// The lease under which the cut of a shared projection is settled.
const CUT: &str = "cut";

/// The group of those who fill a generation.
#[must_use]
pub(super) fn group(generation: &crate::rows::Generation) -> String {
    format!("backfill/{generation}")
}

/// What became of filling a generation.
#[derive(Debug)]
pub(super) enum Worked {
    /// Every slot is done.
    Done,
    /// It cannot be finished as it was begun: begin another generation, with this stream parked if there is one.
    Anew(Option<Box<Parked>>),
}

/// One process that fills a generation.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) target: &'a Target,
    pub(super) context: &'a Context,
    pub(super) group: String,
    pub(super) me: WorkerId,
    pub(super) stop: watch::Receiver<bool>,
}

impl Work<'_> {
    /// Works until every slot is done, by this process or by others.
    pub(super) async fn run(&self) -> Result<Worked, BackfillError> {
        let mut observed = Observed::default();
        if self.target.0.shared() {
            match self.settle(&mut observed).await? {
                Worked::Done => {}
                anew => return Ok(anew),
            }
        }
        loop {
            let items = self.look(&mut observed).await?;
            let slots = || items.leases.values().filter_map(|lease| Some((slot(lease)?, lease)));
            if slots().next().is_none() {
                self.make(Slot::ALL).await?;
                continue;
            }
            let leaves: Vec<_> = slots().filter(|(_, lease)| !has(lease, HALVED)).collect();
            let open: Vec<_> = leaves.iter().filter(|(_, lease)| !has(lease, DONE)).collect();
            self.context.progress.slots(leaves.len() - open.len(), leaves.len());
            if open.is_empty() {
                return Ok(Worked::Done);
            }
            let free = open.iter().find(|(_, lease)| is_free(lease, &observed));
            let Some((slot, lease)) = free else {
                self.context.progress.enter(Phase::Waiting);
                self.wait().await?;
                continue;
            };
            let taken = lease.given_to(Some(self.me.clone()));
            if self.save(&taken, Some(lease.counter)).await? != Saved::Done {
                continue;
            }
            let mut taken = taken;
            let filling = self.target.0.fill(self.context, *slot);
            let ended = match self.keep(&mut taken, filling).await? {
                None => continue,
                Some(Filled::Poisoned(parked)) => return Ok(Worked::Anew(Some(parked))),
                Some(Filled::Done) => self.done(&taken).await,
                Some(Filled::TooLarge) => self.halve(&taken, *slot).await,
            };
            if let Err(error) = ended {
                self.release(&taken).await;
                return Err(error);
            }
        }
    }

    /// A slot whose rows differ is not done: whoever comes next compares them again.
    async fn done(&self, taken: &Lease) -> Result<(), BackfillError> {
        self.context.judge()?;
        self.finish(taken, DONE).await
    }

    async fn halve(&self, taken: &Lease, slot: Slot) -> Result<(), BackfillError> {
        let (budget, slots) = (self.context.memory_bytes, slot.of());
        for half in slot.halves().ok_or(BackfillError::Memory { budget, slots })? {
            self.make(half).await?;
        }
        self.finish(taken, HALVED).await
    }

    /// Settles the cut, or waits until another has. Of one that died over it, nobody knows what it may still write: then
    /// another generation is begun.
    async fn settle(&self, observed: &mut Observed) -> Result<Worked, BackfillError> {
        let mine = Lease::new(&Partition::new(PartitionId(CUT.into())), Some(self.me.clone()));
        if self.save(&mine, None).await? == Saved::Done {
            let mut mine = mine;
            let settling = self.target.0.settle(self.context, false);
            if self.keep(&mut mine, settling).await?.is_none() {
                return Ok(Worked::Anew(None));
            }
            self.finish(&mine, DONE).await?;
            // It may have been lost at the last moment: then nobody may go on with it.
            let there = self.look(observed).await?.leases.remove(&PartitionId(CUT.into()));
            return Ok(if there.is_some_and(|there| has(&there, DONE)) {
                Worked::Done
            } else {
                Worked::Anew(None)
            });
        }
        loop {
            let there = self.look(observed).await?.leases.remove(&PartitionId(CUT.into()));
            match there {
                Some(there) if has(&there, DONE) => break,
                Some(there) if is_free(&there, observed) => return Ok(Worked::Anew(None)),
                _ => {}
            }
            self.context.progress.enter(Phase::Waiting);
            self.wait().await?;
        }
        tokio::select! {
            settled = self.target.0.settle(self.context, true) => settled?,
            () = stopped(self.stop.clone()) => return Err(BackfillError::Stopped),
        }
        Ok(Worked::Done)
    }

    async fn look(&self, observed: &mut Observed) -> Result<Items, BackfillError> {
        if *self.stop.borrow() {
            return Err(BackfillError::Stopped);
        }
        let items = patiently(|| self.context.leases.list(&self.group)).await?;
        observed.look(&items, Instant::now());
        Ok(items)
    }

    async fn wait(&self) -> Result<(), BackfillError> {
        tokio::select! {
            () = sleep(LOOK_EVERY) => Ok(()),
            () = stopped(self.stop.clone()) => Err(BackfillError::Stopped),
        }
    }

    async fn make(&self, slot: Slot) -> Result<(), BackfillError> {
        let lease = Lease::new(&Partition::new(PartitionId(slot.to_string().into())), None);
        // It may be there already.
        let _made = self.save(&lease, None).await?;
        Ok(())
    }

    async fn save(&self, lease: &Lease, counter: Option<u64>) -> Result<Saved, BackfillError> {
        let item = Item::from(lease.clone());
        let saved = patiently(|| self.context.leases.save(&self.group, &item, counter)).await?;
        Ok(match saved {
            // An earlier try whose answer was lost.
            Saved::Lost(Some(there)) if *there == item => Saved::Done,
            saved => saved,
        })
    }

    /// Works under a lease that is renewed meanwhile. Nothing when the lease was lost; the work is dropped then.
    async fn keep<T>(
        &self,
        lease: &mut Lease,
        work: impl Future<Output = Result<T, BackfillError>>,
    ) -> Result<Option<T>, BackfillError> {
        let mut work = std::pin::pin!(work);
        let mut stop = std::pin::pin!(stopped(self.stop.clone()));
        let mut saved_at = Instant::now();
        let mut renewal = saved_at + RENEW_EVERY;
        loop {
            tokio::select! {
                done = &mut work => match done {
                    Ok(done) => return Ok(Some(done)),
                    Err(error) => {
                        self.release(lease).await;
                        return Err(error);
                    }
                },
                () = &mut stop => {
                    self.release(lease).await;
                    return Err(BackfillError::Stopped);
                }
                () = sleep_until(renewal) => {
                    let begun = Instant::now();
                    let next = Lease { counter: lease.counter + 1, ..lease.clone() };
                    let item = Item::from(next.clone());
                    match self.context.leases.save(&self.group, &item, Some(lease.counter)).await {
                        Ok(Saved::Done) => (*lease, saved_at) = (next, begun),
                        Ok(Saved::Lost(Some(there))) if *there == item => (*lease, saved_at) = (next, begun),
                        Ok(Saved::Lost(_)) => return Ok(None),
                        Err(_) if saved_at.elapsed() < EXPIRY => {
                            renewal = Instant::now() + RENEW_AGAIN;
                            continue;
                        }
                        Err(_) => return Ok(None),
                    }
                    renewal = saved_at + RENEW_EVERY;
                }
            }
        }
    }

    /// Lets the others go on at once. If that fails they notice by themselves.
    async fn release(&self, lease: &Lease) {
        let released = lease.given_to(None);
        let _ = self.context.leases.save(&self.group, &released.into(), Some(lease.counter)).await;
    }

    async fn finish(&self, lease: &Lease, how: &str) -> Result<(), BackfillError> {
        let mut finished = lease.given_to(None);
        finished.checkpoints.insert(how.into(), Checkpoint::End);
        // Whoever took it meanwhile does it again, and comes to the same.
        let _saved = self.save(&finished, Some(lease.counter)).await?;
        Ok(())
    }
}

fn slot(lease: &Lease) -> Option<Slot> {
    Slot::parse(&lease.partition.0)
}

fn has(lease: &Lease, checkpoint: &str) -> bool {
    lease.checkpoints.contains_key(checkpoint)
}

fn is_free(lease: &Lease, observed: &Observed) -> bool {
    lease.owner.is_none() || observed.still(&ItemKey::Lease(lease.partition.clone())) >= EXPIRY
}

/// Ends when a stop is asked for.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left to ask.
        std::future::pending::<()>().await;
    }
}

/// Asks a lease store until it answers, within a bound.
pub(super) async fn patiently<T, F: Future<Output = Result<T, LeaseError>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, LeaseError> {
    const TRIES: u32 = 10;
    let mut tries = 0;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if tries == TRIES => return Err(error),
            Err(error) => tracing::debug!(error = %error, "the lease store does not answer, trying again"),
        }
        tries += 1;
        sleep(RENEW_AGAIN).await;
    }
}

/// Forgets the slots of a generation.
pub(super) async fn forget(
    leases: &Arc<dyn crate::LeaseStore>,
    generation: &crate::rows::Generation,
) -> Result<(), LeaseError> {
    let group = group(generation);
    for lease in patiently(|| leases.list(&group)).await?.leases.into_values() {
        let (key, counter) = (ItemKey::Lease(lease.partition.clone()), lease.counter);
        let _gone = patiently(|| leases.delete(&group, &key, counter)).await?;
    }
    Ok(())
}
