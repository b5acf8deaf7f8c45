//! One pass over the ledger, for generations that have to catch up: beside the live records, and never in their way.
//!
//! The commits go through the same step as those of the feed, so what is applied already is dropped by its version. A
//! pass belongs to one worker at a time and is resumed where it was: its places in the ledger are saved with the item
//! that says whose it is, and none passes work that is not done (L7).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use headwater::EventStore;
use headwater::store::{Scan, ScanPage};
use tokio::sync::{Mutex as Lock, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::{Backoff, Stop};
use super::cohort::{BatchSize, carry};
use super::kind::Keeping;
use super::lane::Lane;
use super::limits::{LAST_TRIES, READ_PATIENCE};
use crate::group::limits::{CALL_PATIENCE, EXPIRY, RENEW_AGAIN, RENEW_EVERY, STOP_PATIENCE};
use crate::group::{CatchUp, Item, LeaseStore, Saved, Segment};

/// What a pass owns.
pub(super) struct Pass {
    pub(super) store: Arc<dyn LeaseStore>,
    pub(super) group: Arc<str>,
    pub(super) ledger: Arc<dyn EventStore>,
    /// The item as it was saved last; it says what is to be read, for whom, and from where.
    pub(super) item: CatchUp,
    /// When the call began that saved it.
    pub(super) saved_at: Instant,
    /// The generations it reads for.
    pub(super) reads_for: Vec<Keeping>,
    pub(super) places: Arc<Places>,
    /// Whether it is to be released.
    pub(super) release: watch::Receiver<bool>,
    pub(super) paused: watch::Receiver<BTreeSet<&'static str>>,
    /// The generations that are kept here.
    pub(super) kept: watch::Receiver<Arc<[Keeping]>>,
}

/// How far a pass has come: written by its readers, read by whoever saves or shows it.
#[derive(Debug)]
pub(super) struct Places {
    segments: Mutex<Vec<Segment>>,
    commits: AtomicU64,
}

impl Places {
    pub(super) fn from(item: &CatchUp) -> Self {
        Self { segments: Mutex::new(item.segments.clone()), commits: AtomicU64::new(0) }
    }

    /// The segments that are read to their end, and all there are.
    pub(super) fn segments(&self) -> (usize, usize) {
        let segments = self.locked();
        (segments.iter().filter(|segment| **segment == Segment::End).count(), segments.len())
    }

    /// Commits read in this process.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn set(&self, number: usize, place: Segment) {
        if let Some(segment) = self.locked().get_mut(number) {
            *segment = place;
        }
    }

    /// No code of others runs under this lock, so a poisoned one still holds whole data.
    fn locked(&self) -> MutexGuard<'_, Vec<Segment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a write of the item went well.
#[derive(Debug, PartialEq, Eq)]
enum Write {
    Done,
    Lost,
    Unknown,
}

impl Pass {
    /// Reads to the end of the ledger, or until it is to be released or somebody else has it.
    ///
    /// # Errors
    /// When a reader panicked.
    pub(super) async fn run(mut self) -> Result<(), JoinError> {
        tracing::info!(generations = ?self.item.reading, "catching up from the ledger");
        let (stop_now, stop) = Stop::new();
        let mut readers = JoinSet::new();
        for (number, segment) in self.item.segments.iter().enumerate() {
            if *segment != Segment::End {
                readers.spawn(self.reader(number, stop.clone()).read(segment.clone()));
            }
        }
        let mut signs = (self.release.clone(), self.paused.clone(), self.kept.clone());
        let reads_for = self.reads_for.clone();
        let (mut renewal, mut deadline) = (self.saved_at + RENEW_EVERY, None);
        loop {
            tokio::select! {
                // Before anything else: readers that are done have nothing to be renewed for.
                biased;
                ended = readers.join_next() => match ended {
                    Some(ended) => ended?,
                    None => break,
                },
                () = leave(&mut signs, &reads_for), if deadline.is_none() => {
                    stop_now.send_replace(true);
                    deadline = Some(Instant::now() + STOP_PATIENCE);
                }
                () = sleep_until(deadline.unwrap_or(renewal)), if deadline.is_some() => {
                    readers.shutdown().await;
                    break;
                }
                () = sleep_until(renewal) => match self.save(self.next()).await {
                    Write::Done => renewal = self.saved_at + RENEW_EVERY,
                    Write::Unknown if self.saved_at.elapsed() < EXPIRY => renewal = Instant::now() + RENEW_AGAIN,
                    lost => {
                        tracing::warn!(?lost, "catching up from the ledger is over here: another worker has it");
                        readers.shutdown().await;
                        return Ok(());
                    }
                },
            }
        }
        self.finish().await;
        Ok(())
    }

    /// Gives it up after its readers have ended: it is finished, or others go on.
    async fn finish(&mut self) {
        for _ in 0..LAST_TRIES {
            let mut last = self.next();
            last.owner = None;
            let last = if last.segments.iter().all(|segment| *segment == Segment::End) {
                last.finished()
            } else {
                let (paused, kept) = (self.paused.borrow(), self.kept.borrow());
                let able = kept.iter().filter(|kept| !paused.contains(kept.handler.name()));
                last.leaving(&able.map(|kept| Arc::clone(&kept.generation)).collect())
            };
            let last = last
                .trimmed(|generation| self.kept.borrow().iter().any(|kept| *kept.generation == *generation));
            let done = last.reading.is_empty();
            match self.save(last).await {
                Write::Done => {
                    return tracing::info!(done, commits = self.places.commits(), "the ledger was read");
                }
                Write::Lost => return,
                Write::Unknown => tokio::time::sleep(RENEW_AGAIN).await,
            }
        }
        tracing::warn!("catching up from the ledger could not be released: it has to expire");
    }

    /// The item as it is to be saved next.
    fn next(&self) -> CatchUp {
        CatchUp {
            counter: self.item.counter + 1,
            segments: self.places.locked().clone(),
            ..self.item.clone()
        }
    }

    async fn save(&mut self, mut next: CatchUp) -> Write {
        // The later tries are for those that have asked meanwhile, and for a first one whose answer was lost.
        for _ in 0..LAST_TRIES {
            let begun = Instant::now();
            let item = Item::CatchUp(next.clone());
            let saving = self.store.save(&self.group, &item, Some(self.item.counter));
            match timeout(CALL_PATIENCE, saving).await {
                Ok(Ok(Saved::Done)) => {
                    (self.item, self.saved_at) = (next, begun);
                    return Write::Done;
                }
                Ok(Ok(Saved::Lost(Some(there)))) => match *there {
                    Item::CatchUp(there) if there == next => {
                        (self.item, self.saved_at) = (there, begun);
                        return Write::Done;
                    }
                    Item::CatchUp(there) if there.owner == self.item.owner => {
                        next.asked.extend(there.asked.iter().cloned());
                        next.counter = there.counter + 1;
                        (self.item.counter, self.item.asked) = (there.counter, there.asked);
                    }
                    _ => return Write::Lost,
                },
                Ok(Ok(Saved::Lost(None))) => return Write::Lost,
                Ok(Err(error)) => {
                    tracing::warn!(error = %error, "the catching up cannot be saved, trying again");
                    return Write::Unknown;
                }
                Err(_) => return Write::Unknown,
            }
        }
        Write::Unknown
    }

    fn reader(&self, number: usize, stop: Stop) -> SegmentReader {
        let lanes = self.reads_for.iter().map(|keeping| (keeping.clone(), keeping.handler.lane()));
        SegmentReader {
            ledger: Arc::clone(&self.ledger),
            number,
            segments: self.item.segments.len(),
            lanes: lanes.collect(),
            places: Arc::clone(&self.places),
            stop,
            kept: self.kept.clone(),
        }
    }
}

/// The reader of one segment of the ledger.
struct SegmentReader {
    ledger: Arc<dyn EventStore>,
    number: usize,
    segments: usize,
    lanes: Vec<(Keeping, Arc<Lock<dyn Lane>>)>,
    places: Arc<Places>,
    stop: Stop,
    kept: watch::Receiver<Arc<[Keeping]>>,
}

impl SegmentReader {
    /// Reads from a place to the end of the segment, or until a stop is asked for.
    async fn read(self, mut place: Segment) {
        // A lane that others share may remember rows from before somebody else wrote them.
        for (_, lane) in &self.lanes {
            lane.lock().await.forget();
        }
        let (mut size, mut backoff) = (BatchSize::default(), Backoff::default());
        while place != Segment::End && !self.stop.is_requested() {
            let page = match self.page(&place, size.records()).await {
                Ok(page) => page,
                Err(from_the_start) => {
                    if from_the_start {
                        place = Segment::Start;
                        self.places.set(self.number, Segment::Start);
                    }
                    backoff.pause_or_stop(&self.stop).await;
                    continue;
                }
            };
            backoff = Backoff::default();
            let begun = Instant::now();
            let carrying = self.lanes.iter().map(|(keeping, lane)| {
                let (name, generation) = (keeping.handler.name(), &keeping.generation);
                carry(name, generation, lane, &page.commits, &self.stop, &self.kept)
            });
            if !page.commits.is_empty() && !join_all(carrying).await.into_iter().all(|done| done) {
                return;
            }
            size.learn(begun.elapsed(), page.commits.len());
            self.places.commits.fetch_add(page.commits.len() as u64, Ordering::Relaxed);
            place = page.next.map_or(Segment::End, Segment::After);
            self.places.set(self.number, place.clone());
        }
    }

    /// Reads a page; `Err(true)` when the place is not one of this ledger any more.
    async fn page(&self, place: &Segment, limit: usize) -> Result<ScanPage, bool> {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let scan = Scan::segment(number(self.number), number(self.segments)).limit(limit);
        let scan = match place {
            Segment::After(cursor) => scan.after(cursor.clone()),
            Segment::Start | Segment::End => scan,
        };
        match timeout(READ_PATIENCE, self.ledger.scan(scan)).await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) if error.retry_helps() => {
                tracing::warn!(segment = self.number, error = %error, "the ledger cannot be read, trying again");
                Err(false)
            }
            Ok(Err(error)) => {
                tracing::error!(segment = self.number, error = %error, "a segment of the ledger is read from its start");
                Err(true)
            }
            Err(_) => {
                tracing::warn!(segment = self.number, "the ledger did not answer in time, trying again");
                Err(false)
            }
        }
    }
}

/// What a pass watches: whether it is to be released, which projections are paused, which generations are kept.
type Signs =
    (watch::Receiver<bool>, watch::Receiver<BTreeSet<&'static str>>, watch::Receiver<Arc<[Keeping]>>);

/// Waits until the pass is to be released, or one that it reads for is paused or not kept any more: it leaves the pass, so
/// that the others can go on.
async fn leave((release, paused, kept): &mut Signs, reads_for: &[Keeping]) {
    let pause = paused.wait_for(|paused| reads_for.iter().any(|one| paused.contains(one.handler.name())));
    let gone = kept.wait_for(|kept| {
        let is_kept = |one: &Keeping| kept.iter().any(|kept| kept.generation == one.generation);
        !reads_for.iter().all(is_kept)
    });
    // A sender that is gone means that the runner is gone.
    tokio::select! {
        biased;
        _ = release.wait_for(|release| *release) => {}
        _ = pause => {}
        _ = gone => {}
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("item", &self.item).finish_non_exhaustive()
    }
}
