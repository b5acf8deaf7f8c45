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
use tokio::time::{Instant, sleep};

use super::limits::OPERATIONS_KEPT;
use super::operation::{Operation, OperationState, Wish};
use super::target::Target;
use super::work::patiently;
use crate::LeaseStore;
use crate::group::limits::{EXPIRY, ROUND};
use crate::group::{Item, LeaseError, Saved, WorkerId};

/// How often a change is tried while others write the operation as well.
const TRIES: u32 = 20;

/// The operations of a group. Cheap to clone; clones share what they have seen.
#[derive(Clone)]
pub struct Operations {
    leases: Arc<dyn LeaseStore>,
    group: Arc<str>,
    seen: Arc<Mutex<BTreeMap<Arc<str>, Seen>>>,
    /// Wakes whoever carries operations out in this process.
    pub(super) asked: Arc<Notify>,
}

/// What was seen of the counter of an operation.
#[derive(Debug, Clone, Copy)]
struct Seen {
    counter: u64,
    since: Instant,
    moved: bool,
}

/// What became of asking for an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum AskedFor {
    /// It waits to be carried out.
    New(Operation),
    /// One for the same projection is queued or under way: nothing was changed.
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
        Self { leases, group, seen: Arc::default(), asked: Arc::default() }
    }

    /// Every operation that is queued or under way, and the last [`OPERATIONS_KEPT`] of each projection that have ended:
    /// by projection, the newest first. One whose process has shown no life to this one for [`EXPIRY`] is shown as
    /// interrupted.
    ///
    /// # Errors
    /// [`OperationError::Leases`].
    pub async fn list(&self) -> Result<Vec<Operation>, OperationError> {
        let documents = patiently(|| self.leases.list(&self.group)).await?.documents;
        let mut all: Vec<Operation> = documents.values().filter_map(Operation::of).collect();
        all.sort_by(|a, b| (&a.projection, b.number).cmp(&(&b.projection, a.number)));
        let mut seen = self.seen();
        let mut before = std::mem::take(&mut *seen);
        let now = Instant::now();
        for operation in all.iter_mut().filter(|operation| !operation.state.is_ended()) {
            let new = Seen { counter: operation.counter, since: now, moved: false };
            let known = match before.remove(&operation.id) {
                Some(known) if known.counter == operation.counter => known,
                Some(_) => Seen { moved: true, ..new },
                None => new,
            };
            if operation.state != OperationState::Queued && now.duration_since(known.since) >= EXPIRY {
                operation.state = OperationState::Interrupted;
                operation.report.problem = Some("its process shows no life".to_owned());
            }
            seen.insert(Arc::clone(&operation.id), known);
        }
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

    /// Asks that a projection is built anew, unless that is asked for or under way. Where it is not known whether the
    /// process that does it is alive, that is watched for [`EXPIRY`] at the most.
    ///
    /// # Errors
    /// As [`list`](Self::list); [`OperationError::Contended`].
    pub async fn ask(&self, projection: &str, version: u32, wish: &Wish) -> Result<AskedFor, OperationError> {
        let deadline = Instant::now() + EXPIRY + 2 * ROUND;
        let mut tries = 0;
        while tries < TRIES {
            let all = self.of(projection).await?;
            match all.first() {
                Some(open) if !open.state.is_ended() => {
                    let alive = open.state == OperationState::Queued || self.is_moving(&open.id);
                    // One that is busy with nothing but writing its own sign of life is alive.
                    if alive || Instant::now() >= deadline {
                        return Ok(AskedFor::There(open.clone()));
                    }
                    sleep(ROUND).await;
                    continue;
                }
                Some(silent) if silent.state == OperationState::Interrupted => self.give_up(silent).await,
                _ => {}
            }
            if let Some(asked) = self.add(&all, (projection, version), wish, None).await? {
                self.asked.notify_one();
                return Ok(AskedFor::New(asked));
            }
            tries += 1;
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
            let all = self.of(target.0).await?;
            if let Some(begun) = self.add(&all, target, wish, Some(me)).await? {
                return Ok(begun);
            }
        }
        Err(OperationError::Contended)
    }

    /// Takes an operation up that is queued and that this process can do; nothing when there is none. Of several processes
    /// one gets it.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn take(
        &self,
        me: &WorkerId,
        can: impl Fn(&Operation) -> bool,
    ) -> Result<Option<Operation>, OperationError> {
        let all = self.list().await?;
        let queued = all.iter().filter(|one| one.state == OperationState::Queued && can(one));
        for queued in queued {
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
    /// As [`list`](Self::list).
    pub async fn interrupt_all(&self) -> Result<(), OperationError> {
        for operation in self
            .list()
            .await?
            .iter()
            .filter(|one| matches!(one.state, OperationState::Running | OperationState::WaitingForSwitch))
        {
            self.give_up(operation).await;
        }
        Ok(())
    }

    /// The operations of a projection, the newest first.
    async fn of(&self, projection: &str) -> Result<Vec<Operation>, OperationError> {
        let all = self.list().await?.into_iter();
        Ok(all.filter(|operation| &*operation.projection == projection).collect())
    }

    /// Adds one, and forgets those that ended long ago; nothing when somebody else was faster.
    async fn add(
        &self,
        all: &[Operation],
        target: (&str, u32),
        wish: &Wish,
        me: Option<&WorkerId>,
    ) -> Result<Option<Operation>, OperationError> {
        let number = all.first().map_or(1, |newest| newest.number + 1);
        let mut new = Operation::new(target, number, wish.clone());
        if let Some(me) = me {
            (new.state, new.worker) = (OperationState::Running, Some(Arc::clone(&me.0)));
        }
        if self.save(&new, None).await? != Saved::Done {
            return Ok(None);
        }
        let ended = all.iter().filter(|operation| operation.state.is_ended());
        for old in ended.skip(OPERATIONS_KEPT) {
            // If it does not go now it goes next time.
            let _gone = self.leases.delete(&self.group, &Item::from(old.document()).key(), old.counter).await;
        }
        Ok(Some(new))
    }

    /// Writes down that an operation is interrupted, if nobody has written it meanwhile.
    async fn give_up(&self, silent: &Operation) {
        let given_up = silent.ended(OperationState::Interrupted, Some("its process was gone".to_owned()));
        if let Err(error) = self.save(&given_up, Some(silent.counter)).await {
            tracing::debug!(error = %error, "an operation cannot be given up");
        }
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

    /// Whether the counter of an operation was seen to move lately.
    fn is_moving(&self, id: &str) -> bool {
        self.seen().get(id).is_some_and(|seen| seen.moved && seen.since.elapsed() < EXPIRY)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this process is asked for something, or for so long.
    pub async fn wait(&self, at_most: Duration) {
        let _asked = tokio::time::timeout(at_most, self.asked.notified()).await;
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("group", &self.group).finish_non_exhaustive()
    }
}
