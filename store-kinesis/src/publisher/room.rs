//! How much may be on its way: so many commits and so many bytes. A room is taken before a commit is written and given
//! back when it is published, so what is written always fits into the queue.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// Rooms of one kind of commits.
#[derive(Debug)]
pub(super) struct Rooms {
    most: Taken,
    taken: Mutex<Taken>,
    freed: Notify,
}

/// So many commits of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(super) commits: usize,
    pub(super) bytes: usize,
}

/// Room for one commit, given back when dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Room {
    rooms: Arc<Rooms>,
    bytes: usize,
}

impl Rooms {
    pub(super) fn new(commits: usize, bytes: usize) -> Arc<Self> {
        let taken = Mutex::new(Taken { commits: 0, bytes: 0 });
        Arc::new(Self { most: Taken { commits, bytes }, taken, freed: Notify::new() })
    }

    /// A room, if there is one. One commit has room however large it is: else it would never have.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        let mut taken = self.lock();
        let fits = taken.commits < self.most.commits && bytes <= self.most.bytes.saturating_sub(taken.bytes);
        if taken.commits > 0 && !fits {
            return None;
        }
        taken.commits += 1;
        taken.bytes += bytes;
        Some(Room { rooms: Arc::clone(self), bytes })
    }

    /// A room, once there is one. Who waits for much may wait long when others take little: it is meant for one waiter
    /// or a few.
    ///
    /// # Cancel safety
    /// Nothing is taken when the future is dropped.
    pub(super) async fn wait(self: &Arc<Self>, bytes: usize) -> Room {
        loop {
            // Made before looking, so that what is freed between looking and waiting is noticed.
            let freed = self.freed.notified();
            if let Some(room) = self.take(bytes) {
                return room;
            }
            freed.await;
        }
    }

    pub(super) fn taken(&self) -> Taken {
        *self.lock()
    }

    pub(super) fn most(&self) -> Taken {
        self.most
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("no code panics while it holds this lock")
    }
}

impl Room {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.rooms.lock();
        taken.commits -= 1;
        taken.bytes -= self.bytes;
        drop(taken);
        self.rooms.freed.notify_waiters();
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} commits of {} bytes", self.commits, self.bytes)
    }
}
