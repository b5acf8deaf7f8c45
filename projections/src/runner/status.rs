//! What a running group shows, and what can be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater::store::PartitionId;
use tokio::sync::watch;

use super::kind::{Keeping, Kind};
use super::lane::Handler;
use super::pass::Places;
use super::progress::Progress;
use super::projections::Place;
use crate::ReadError;
use crate::directory::Directory;
use crate::group::{CatchUp, Generations, Segment, WorkerId};

/// What becomes of a partition, seen from one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartitionState {
    /// Its parents are not read to their end yet.
    Waiting,
    /// Nobody has its lease at the moment.
    Free,
    /// Another worker reads it.
    Elsewhere {
        /// That worker.
        owner: WorkerId,
    },
    /// It is about to be read here; the feed has not answered yet.
    Starting,
    /// It is read here, and there is more to read.
    Reading,
    /// It is read here, and a moment ago there was no more to read.
    CaughtUp,
    /// It is read here, from the oldest record on, because the feed does not have the checkpoint any more. What came before
    /// is read from the ledger, see [`CatchUpStatus`].
    CatchingUp,
    /// It ought to be read here and cannot be. How far it is behind is not known.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// It is closed, and everything in it is done.
    Ended,
    /// It has no lease and gets none: nobody reads it. That is an alarm.
    Uncovered,
}

/// One partition, seen from one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// What becomes of it.
    pub state: PartitionState,
    /// How far its projections are behind, at most, when it is read here. It grows while the feed does not answer.
    pub behind: Option<Duration>,
    /// Whether some projections are further behind than that: they are paused, or were, or are new to the group.
    pub late: bool,
    /// Records that were read here and are not done yet.
    pub in_hand: usize,
    /// How often a checkpoint of it was lost, so that the ledger had to be read.
    pub losses: u64,
}

impl PartitionStatus {
    pub(super) fn of(state: PartitionState, losses: u64) -> Self {
        Self { state, behind: None, late: false, in_hand: 0, losses }
    }
}

/// A group, seen from one worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Workers that are alive.
    pub workers: usize,
    /// The partitions of the feed.
    pub partitions: BTreeMap<PartitionId, PartitionStatus>,
    /// Projections that are paused here.
    pub paused: BTreeSet<&'static str>,
    /// How the group catches up from the ledger, while it does: rows of streams without a record in the feed may be
    /// behind.
    pub catching_up: Option<CatchUpStatus>,
}

/// How a group catches up from the ledger, seen from one worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatchUpStatus {
    /// The worker that reads the ledger.
    pub owner: Option<WorkerId>,
    /// The generations that it is read for now.
    pub reading: BTreeSet<Arc<str>>,
    /// Those that wait for the next pass, because they are paused, or asked while this one was under way.
    pub waiting: BTreeSet<Arc<str>>,
    /// Parts of the ledger that are read to their end, and all parts.
    pub segments: (usize, usize),
    /// Commits read by this worker.
    pub commits: u64,
}

/// The handle to a running group: how it is doing, pausing projections in this process, and orders about parked streams.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: Arc<Directory>,
    kinds: Mutex<Vec<Arc<dyn Kind>>>,
    kept: watch::Sender<Arc<[Keeping]>>,
    paused: watch::Sender<BTreeSet<&'static str>>,
    shown: Mutex<Shown>,
}

/// What the last round has left to be shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) me: Option<WorkerId>,
    pub(super) workers: usize,
    pub(super) partitions: BTreeMap<PartitionId, PartitionStatus>,
    pub(super) here: BTreeMap<PartitionId, Arc<Progress>>,
    pub(super) catch_up: Option<CatchUp>,
    pub(super) pass: Option<Arc<Places>>,
}

impl Shown {
    fn catching_up(&self) -> Option<CatchUpStatus> {
        let item = self.catch_up.as_ref()?;
        if item.asked.is_empty() && item.reading.is_empty() {
            return None;
        }
        let ended = item.segments.iter().filter(|segment| **segment == Segment::End).count();
        let pass = self.pass.as_ref();
        Some(CatchUpStatus {
            owner: item.owner.clone(),
            reading: item.reading.clone(),
            waiting: item.asked.clone(),
            segments: pass.map_or((ended, item.segments.len()), |pass| pass.segments()),
            commits: pass.map_or(0, |pass| pass.commits()),
        })
    }
}

impl Control {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        let shared = Shared {
            directory,
            kinds: Mutex::default(),
            kept: watch::Sender::new(Arc::default()),
            paused: watch::Sender::default(),
            shown: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn add(&self, kind: Arc<dyn Kind>) {
        locked(&self.shared.kinds).push(kind);
    }

    pub(super) fn kinds(&self) -> Vec<Arc<dyn Kind>> {
        locked(&self.shared.kinds).clone()
    }

    /// Tells the readers which generations are kept from now on.
    pub(super) fn keep(&self, kept: Arc<[Keeping]>) {
        self.shared.kept.send_replace(kept);
    }

    pub(super) fn keeping(&self) -> watch::Receiver<Arc<[Keeping]>> {
        self.shared.kept.subscribe()
    }

    pub(super) fn all_kept(&self) -> Arc<[Keeping]> {
        Arc::clone(&self.shared.kept.borrow())
    }

    pub(super) fn is_paused(&self, projection: &str) -> bool {
        self.shared.paused.borrow().contains(projection)
    }

    /// How the group is doing now.
    #[must_use]
    pub fn status(&self) -> Status {
        let shown = locked(&self.shared.shown);
        let mut partitions = shown.partitions.clone();
        for (partition, progress) in &shown.here {
            partitions.insert(partition.clone(), progress.show());
        }
        let catching_up = shown.catching_up();
        Status {
            workers: shown.workers,
            partitions,
            paused: self.shared.paused.borrow().clone(),
            catching_up,
        }
    }

    /// Stops applying events to a projection in this process, after the batch under way. The others go on.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn pause(&self, projection: &str) -> Result<(), ReadError> {
        let name = self.kind(projection)?.name();
        self.shared.paused.send_if_modified(|paused| paused.insert(name));
        Ok(())
    }

    /// Goes on with a projection that was paused, from where it was.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn resume(&self, projection: &str) -> Result<(), ReadError> {
        let name = self.kind(projection)?.name();
        self.shared.paused.send_if_modified(|paused| paused.remove(name));
        Ok(())
    }

    pub(super) fn paused(&self) -> watch::Receiver<BTreeSet<&'static str>> {
        self.shared.paused.subscribe()
    }

    pub(super) fn show(&self, shown: Shown) {
        *locked(&self.shared.shown) = shown;
    }

    /// Which generations there are of a projection.
    pub(super) async fn generations_of(
        &self,
        projection: &str,
    ) -> Result<(Arc<dyn Kind>, Generations), ReadError> {
        let kind = self.kind(projection)?;
        let generations = self.shared.directory.of(kind.name(), kind.version()).await?;
        Ok((kind, generations))
    }

    /// What is known of a generation in each partition.
    pub(super) fn places_of(&self, generation: &str) -> Vec<(String, PartitionStatus, Option<Place>)> {
        let shown = locked(&self.shared.shown);
        let place = |(id, status): (&PartitionId, &PartitionStatus)| {
            let here = shown.here.get(id).map(|progress| Place {
                owner: shown.me.as_ref().map(ToString::to_string),
                ..progress.place(generation)
            });
            (id.to_string(), status.clone(), here)
        };
        shown.partitions.iter().map(place).collect()
    }

    /// The handler of the live generation.
    pub(super) async fn handler(&self, projection: &str) -> Result<Arc<dyn Handler>, ReadError> {
        let (kind, generations) = self.generations_of(projection).await?;
        let live = generations.version(generations.live).unwrap_or_default();
        if live != kind.version() {
            let (projection, code) = (kind.name().to_owned(), kind.version());
            return Err(ReadError::OtherVersion { projection, live, code });
        }
        Ok(kind.handler(generations.live))
    }

    fn kind(&self, projection: &str) -> Result<Arc<dyn Kind>, ReadError> {
        let kinds = locked(&self.shared.kinds);
        let known = || kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        let found = kinds.iter().find(|kind| kind.name() == projection).cloned();
        found.ok_or_else(|| ReadError::UnknownProjection { name: projection.to_owned(), known: known() })
    }
}

/// No code of others runs under these locks, so a poisoned one still holds whole data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
