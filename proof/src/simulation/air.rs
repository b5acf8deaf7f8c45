//! What lies between the workers of a world: its time, what is still on its way, and what became known.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use super::Trace;

/// The air of a world.
#[derive(Debug, Default)]
pub struct Air {
    /// Milliseconds since the beginning; no worker sees it.
    now: Mutex<u64>,
    network: Mutex<Vec<Late>>,
    trace: Mutex<Trace>,
    broken: Mutex<Option<String>>,
    rarity: Mutex<u64>,
}

/// A request that arrives later, whether or not anybody waits for its answer.
struct Late {
    due: u64,
    work: Box<dyn FnOnce() + Send>,
}

impl Air {
    /// Air in which one of so many calls goes wrong; of 0 none.
    #[must_use]
    pub fn new(rarity: u64) -> Self {
        Self { rarity: Mutex::new(rarity), ..Self::default() }
    }

    /// Milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        *lock(&self.now)
    }

    /// One of how many calls goes wrong.
    pub fn rarity(&self) -> u64 {
        *lock(&self.rarity)
    }

    /// Nothing goes wrong from now on.
    pub fn clear_up(&self) {
        *lock(&self.rarity) = 0;
    }

    /// Time goes on; what is due arrives.
    pub fn pass(&self, millis: u64) {
        *lock(&self.now) += millis;
        let now = self.now();
        loop {
            let due = {
                let mut network = lock(&self.network);
                let at = network.iter().position(|late| late.due <= now);
                at.map(|at| network.remove(at))
            };
            match due {
                Some(late) => (late.work)(),
                None => return,
            }
        }
    }

    /// Sends something that arrives after so many milliseconds.
    pub fn send(&self, delay: u64, work: impl FnOnce() + Send + 'static) {
        let due = self.now() + delay;
        lock(&self.network).push(Late { due, work: Box::new(work) });
    }

    /// Whether nothing is on its way.
    pub fn is_still(&self) -> bool {
        lock(&self.network).is_empty()
    }

    /// Takes down that something happened.
    pub fn note(&self, line: &str) {
        let line = format!("{:>7} {line}", self.now());
        lock(&self.trace).add(line);
    }

    /// What happened.
    pub fn trace(&self) -> MutexGuard<'_, Trace> {
        lock(&self.trace)
    }

    /// A law is broken. Only the first time counts.
    pub fn broke(&self, law: String) {
        self.note(&format!("BROKEN {law}"));
        lock(&self.broken).get_or_insert(law);
    }

    /// The law that was broken, if one was.
    pub fn broken(&self) -> Option<String> {
        lock(&self.broken).clone()
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").field("due", &self.due).finish_non_exhaustive()
    }
}

/// Locks something of a world.
///
/// # Panics
/// After a panic of its thread: a world is one thread.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a simulation is one thread")
}
