//! The operations of a group: asked for, seen and cancelled from any process that reaches the control table, and carried
//! out by one of those that do such work.
//!
//! Each is one document, written under its counter: by the process that carries it out, once a second, and by whoever
//! cancels it. A counter that stands still belongs to a process that is gone. What makes rows exact and lets processes
//! share slots does not depend on it: whoever is taken for gone costs time and not truth.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::{OPERATIONS_KEPT, WATCH_EVERY};
use super::operation::{Operation, OperationState, Wish};
use super::target::Target;
use super::watched::Watched;
use super::work::patiently;
use crate::LeaseStore;
use crate::group::limits::{EXPIRY, ROUND};
use crate::group::{Item, Items, LeaseError, Saved, WorkerId};

/// How often a change is tried while others write the operation as well.
const TRIES: u32 = 20;

/// The operations of a group. Cheap to clone; clones share what they have seen.
#[derive(Clone)]
pub struct Operations {
    leases: Arc<dyn LeaseStore>,
    group: Arc<str>,
    watched: Arc<Mutex<Watched>>,
    /// Wakes whoever carries operations out in this process.
    pub(super) asked: Arc<Notify>,
}

/// What there is of one projection.
struct Found {
    /// Its operations, the newest first.
    all: Vec<Operation>,
    /// The number of the next one.
    next: u64,
}

/// What became of asking for an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum AskedFor {
    /// It waits to be carried out.
    New(Operation),
    /// One is queued that builds the same version of the projection, or one that builds any is under way: nothing was
    /// changed.
    There(Operation),
}

/// Why nothing was done about an operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// There is none of this id.
    #[error("operation {id} is unknown: it never was, or ended long ago")]
    Unknown {
        /// The id.
        id: String,
    },
    /// It has ended.
    #[error("operation {} has ended and cannot be cancelled", operation.id)]
    Ended {
        /// The operation.
        operation: Box<Operation>,
    },
    /// Others changed it again and again.
    #[error("operations are being changed by others: try again")]
    Contended,
    /// They cannot be read or written.
    #[error("operations cannot be read or written")]
    Leases(#[from] LeaseError),
}

impl Operations {
    /// Those of the projections of a group.
    #[must_use]
    pub fn new(leases: Arc<dyn LeaseStore>, group: &str) -> Self {
        let group = format!("operations/{group}").into();
        Self { leases, group, watched: Arc::default(), asked: Arc::default() }
    }

    /// Every operation that is queued or under way, and of each projection the newest [`OPERATIONS_KEPT`] that have ended:
    /// by projection, the newest first. One whose process has shown no life for [`EXPIRY`] is shown as interrupted, if this
    /// process has watched it so long: with no more than [`WATCHING`](crate::group::limits::WATCHING) between two looks.
    ///
    /// # Errors
    /// [`OperationError::Leases`].
    pub async fn list(&self) -> Result<Vec<Operation>, OperationError> {
        let (_, mut all) = self.look().await?;
        let mut ended: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        all.retain(|one| {
            if !one.state.is_ended() {
                return true;
            }
            let ended = ended.entry(Arc::clone(&one.projection)).or_default();
            *ended += 1;
            *ended <= OPERATIONS_KEPT
        });
        Ok(all)
    }

    /// One operation.
    ///
    /// # Errors
    /// [`OperationError::Unknown`], or as [`list`](Self::list).
    pub async fn get(&self, id: &str) -> Result<Operation, OperationError> {
        let found = self.list().await?.into_iter().find(|operation| &*operation.id == id);
        found.ok_or_else(|| OperationError::Unknown { id: id.to_owned() })
    }

    /// Asks that a projection is built anew by code of a version, unless that is asked for or under way. One that waits for
    /// code of another version is cancelled, since there may be no process any more that has it; one that is under way
    /// answers whatever its version, since of two that end one after the other the last one would be live. Where it is not
    /// known whether the process that does it is alive, that is watched for [`EXPIRY`] and two [`ROUND`]s at the most, and
    /// the time that the last look takes.
    ///
    /// # Errors
    /// As [`list`](Self::list); [`OperationError::Contended`].
    pub async fn ask(&self, projection: &str, version: u32, wish: &Wish) -> Result<AskedFor, OperationError> {
        let deadline = Instant::now() + EXPIRY + 2 * ROUND;
        let mut tries = 0;
        while tries < TRIES {
            let found = self.of(projection).await?;
            if let Some(there) = self.there(&found.all, version) {
                return Ok(AskedFor::There(there.clone()));
            }
            if let Some(unknown) = found.all.iter().find(|one| one.is_under_way()) {
                let now = Instant::now();
                // One that could not be watched for so long may be alive.
                if now >= deadline {
                    return Ok(AskedFor::There(unknown.clone()));
                }
                sleep_until(deadline.min(now + ROUND)).await;
                continue;
            }
            tries += 1;
            let left = found.all.iter().filter_map(|one| match one.state {
                OperationState::Queued => Some(one.superseded(version, &wish.by)),
                _ => one.silent.then(|| one.given_up()),
            });
            if !self.change(left).await? {
                continue;
            }
            if let Some(asked) = self.add(&found, (projection, version), wish, None).await? {
                self.asked.notify_one();
                return Ok(AskedFor::New(asked));
            }
        }
        Err(OperationError::Contended)
    }

    /// An operation that a process carries out at once, beside others if there are any.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn begin(
        &self,
        target: &Target,
        wish: &Wish,
        me: &WorkerId,
    ) -> Result<Operation, OperationError> {
        let target = (target.name(), target.version());
        for _ in 0..TRIES {
            let found = self.of(target.0).await?;
            if let Some(begun) = self.add(&found, target, wish, Some(me)).await? {
                return Ok(begun);
            }
        }
        Err(OperationError::Contended)
    }

    /// Takes an operation up that is queued and that this process can do, the one that was asked for first; nothing when
    /// there is none. Of several processes one gets it. It has to show life from then on: by
    /// [`prepared`](Self::prepared) and [`carry_out`](Self::carry_out).
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn take(
        &self,
        me: &WorkerId,
        can: impl Fn(&Operation) -> bool,
    ) -> Result<Option<Operation>, OperationError> {
        let mut queued = self.look().await?.1;
        queued.retain(|one| one.state == OperationState::Queued && can(one));
        queued.sort_by(|a, b| (a.asked_at, &a.id).cmp(&(b.asked_at, &b.id)));
        for queued in &queued {
            let taken = queued.taken_by(me);
            if self.save(&taken, Some(queued.counter)).await? == Saved::Done {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// Asks that an operation stops in good order. One that is queued is cancelled at once; the process that carries one
    /// out notices within a second, and writes down when it has stopped.
    ///
    /// # Errors
    /// [`OperationError::Ended`], [`OperationError::Unknown`], [`OperationError::Contended`], or as [`list`](Self::list).
    pub async fn cancel(&self, id: &str, by: &str) -> Result<Operation, OperationError> {
        for _ in 0..TRIES {
            let there = self.get(id).await?;
            if there.state.is_ended() {
                return Err(OperationError::Ended { operation: Box::new(there) });
            }
            if there.cancelled_by.is_some() {
                return Ok(there);
            }
            let mut next = match there.state {
                OperationState::Queued => there.ended(OperationState::Cancelled, None),
                _ => there.next(),
            };
            next.cancelled_by = Some(by.into());
            if self.save(&next, Some(there.counter)).await? == Saved::Done {
                return Ok(next);
            }
        }
        Err(OperationError::Contended)
    }

    /// Writes down that nobody carries out what was under way: for a place that belongs to one process, when it begins.
    ///
    /// # Errors
    /// As [`list`](Self::list); [`OperationError::Contended`] when somebody does carry them out.
    pub async fn interrupt_all(&self) -> Result<(), OperationError> {
        for _ in 0..TRIES {
            let (_, all) = self.look().await?;
            let left = all.iter().filter(|one| one.silent || one.is_under_way());
            if self.change(left.map(Operation::given_up)).await? {
                return Ok(());
            }
        }
        Err(OperationError::Contended)
    }

    /// Everything there is, by projection, the newest first.
    async fn look(&self) -> Result<(Items, Vec<Operation>), OperationError> {
        let items = patiently(|| self.leases.list(&self.group)).await?;
        let mut all: Vec<_> = items.documents.values().filter_map(Operation::of).collect();
        all.sort_by(|a, b| (&a.projection, b.number).cmp(&(&b.projection, a.number)));
        self.watched().look(&items, &mut all);
        Ok((items, all))
    }

    /// What there is of a projection.
    async fn of(&self, projection: &str) -> Result<Found, OperationError> {
        let (items, mut all) = self.look().await?;
        all.retain(|one| *one.projection == *projection);
        Ok(Found { all, next: next_number(&items, projection) })
    }

    /// What answers who asks for a version: one that waits for the same, or one that is known to be under way.
    fn there<'a>(&self, all: &'a [Operation], version: u32) -> Option<&'a Operation> {
        let watched = self.watched();
        let open = all.iter().filter(|one| match one.state {
            OperationState::Queued => one.version == version,
            _ => one.is_under_way() && watched.is_moving(&one.id),
        });
        open.min_by_key(|one| one.version != version)
    }

    /// Adds one, and forgets those that ended long ago; nothing when somebody else was faster.
    async fn add(
        &self,
        found: &Found,
        target: (&str, u32),
        wish: &Wish,
        me: Option<&WorkerId>,
    ) -> Result<Option<Operation>, OperationError> {
        let mut new = Operation::new(target, found.next, wish.clone());
        if let Some(me) = me {
            (new.state, new.worker) = (OperationState::Running, Some(Arc::clone(&me.0)));
        }
        if self.save(&new, None).await? != Saved::Done {
            return Ok(None);
        }
        let ended = found.all.iter().filter(|operation| operation.state.is_ended());
        for old in ended.skip(OPERATIONS_KEPT) {
            // If it does not go now it goes next time.
            let _gone = self.leases.delete(&self.group, &Item::from(old.document()).key(), old.counter).await;
        }
        Ok(Some(new))
    }

    /// Writes what becomes of operations, and says whether all of it is written: not what somebody else has changed
    /// meanwhile.
    async fn change(&self, next: impl Iterator<Item = Operation>) -> Result<bool, OperationError> {
        for next in next {
            if patiently(|| self.save(&next, Some(next.counter - 1))).await? != Saved::Done {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes an operation under its counter.
    pub(super) async fn save(
        &self,
        operation: &Operation,
        counter: Option<u64>,
    ) -> Result<Saved, LeaseError> {
        let item = Item::from(operation.document());
        Ok(match self.leases.save(&self.group, &item, counter).await? {
            // An earlier try whose answer was lost.
            Saved::Lost(Some(there)) if *there == item => Saved::Done,
            saved => saved,
        })
    }

    /// What was found in the place of what was to be written.
    pub(super) fn found(lost: Option<Box<Item>>) -> Option<Operation> {
        match lost.map(|item| *item) {
            Some(Item::Document(document)) => Operation::of(&document),
            _ => None,
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this process is asked for something, or for so long; less long while any is under way, so that whoever
    /// looks then notices when its process is gone.
    pub async fn wait(&self, at_most: Duration) {
        let at_most = if self.watched().under_way { at_most.min(WATCH_EVERY) } else { at_most };
        let _asked = tokio::time::timeout(at_most, self.asked.notified()).await;
    }
}

/// A number higher than any that an operation of a projection has, also one that a newer program wrote in another form.
fn next_number(items: &Items, projection: &str) -> u64 {
    let odd = items.unreadable.keys().filter_map(|key| key.strip_prefix("document/"));
    let names = items.documents.keys().map(AsRef::as_ref).chain(odd);
    let numbers =
        names.filter_map(|name| name.strip_prefix(projection)?.strip_prefix('-')?.parse::<u64>().ok());
    numbers.max().map_or(1, |last| last + 1)
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("group", &self.group).finish_non_exhaustive()
    }
}
