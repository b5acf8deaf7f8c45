//! Waits: callers that wait until a projection has applied a version of a stream.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater::{StreamName, Version};
use tokio::sync::oneshot;

use super::limits::WAITERS;
use crate::Parked;
use crate::group::GENERATIONS;

/// Those who wait for one projection, by the generation they look at.
#[derive(Debug, Default)]
pub(crate) struct AllWaits {
    by: Mutex<BTreeMap<u32, Arc<Waits>>>,
}

impl AllWaits {
    /// Those who look at the generation of this number.
    pub(crate) fn of(&self, number: u32) -> Arc<Waits> {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        // Of generations that are long gone nobody waits for anything.
        while by.len() > 2 * GENERATIONS {
            by.pop_first();
        }
        Arc::clone(by.entry(number).or_default())
    }
}

/// Those who wait for one generation.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next_id: u64,
    count: usize,
    streams: HashMap<StreamName, Vec<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    version: Version,
    wake: oneshot::Sender<bool>,
}

/// A place among those who wait; given up when dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    waits: &'a Waits,
    stream: StreamName,
    id: u64,
    woken: oneshot::Receiver<bool>,
}

impl Waits {
    /// Takes a place, unless [`WAITERS`] are waiting.
    pub(crate) fn place(&self, stream: &StreamName, version: Version) -> Option<Place<'_>> {
        let mut waiting = self.locked();
        if waiting.count >= WAITERS {
            return None;
        }
        let (wake, woken) = oneshot::channel();
        let id = waiting.next_id;
        waiting.next_id += 1;
        waiting.count += 1;
        waiting.streams.entry(stream.clone()).or_default().push(Waiter { id, version, wake });
        Some(Place { waits: self, stream: stream.clone(), id, woken })
    }

    /// Wakes those whose version is applied, and those whose stream is parked.
    pub(crate) fn wake(&self, advanced: &[(StreamName, Version)], parked: &[Parked]) {
        let mut waiting = self.locked();
        if waiting.count == 0 {
            return;
        }
        for (stream, version) in advanced {
            waiting.wake(stream, *version, true);
        }
        for parked in parked {
            waiting.wake(&parked.stream, Version(u64::MAX), false);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn wake(&mut self, stream: &StreamName, version: Version, applied: bool) {
        let Some(waiters) = self.streams.get_mut(stream) else { return };
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(waiters).into_iter().partition(|waiter| waiter.version <= version);
        *waiters = later;
        if waiters.is_empty() {
            self.streams.remove(stream);
        }
        self.count -= due.len();
        for waiter in due {
            // One that has given up meanwhile does not mind.
            let _ = waiter.wake.send(applied);
        }
    }
}

impl Place<'_> {
    /// Waits to be woken: `true` when the version is applied, `false` when the stream is parked.
    pub(crate) async fn woken(&mut self) -> bool {
        (&mut self.woken).await.unwrap_or(false)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waits.locked();
        let Some(waiters) = waiting.streams.get_mut(&self.stream) else { return };
        let before = waiters.len();
        waiters.retain(|waiter| waiter.id != self.id);
        let (gone, empty) = (before - waiters.len(), waiters.is_empty());
        if empty {
            waiting.streams.remove(&self.stream);
        }
        waiting.count -= gone;
    }
}
