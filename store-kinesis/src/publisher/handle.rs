//! The publisher as the store sees it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_kinesis::Client;
use headwater::Commit;
use tokio::time::Instant;

use super::limits;
use super::room::{Room, Rooms};
use super::sink::{Kinesis, Sink};
use super::state::{Full, PublisherState};
use super::task::{self, Parcel, Shared};
use crate::feed::nudges::Nudges;

/// Publishes commits. Clones are the same publisher.
///
/// When the last one is dropped, what was given to it is still published, as long as the runtime lives.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    inner: Arc<Inner>,
}

/// A commit to be published.
pub(crate) struct Job {
    /// The commit.
    pub(crate) commit: Arc<Commit>,
    /// Whether it is published for a process that died.
    pub(crate) redelivered: bool,
    /// Called once, when Kinesis has acknowledged the record.
    pub(crate) done: Box<dyn FnOnce() + Send>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    /// The name of the Kinesis stream, for messages.
    stream: String,
    commands: Arc<Rooms>,
    redelivered: Arc<Rooms>,
    stopping: AtomicBool,
}

impl Publisher {
    /// Starts publishing to a stream with a client that has its settings. So many commits of so many bytes may be on
    /// their way.
    pub(crate) fn start(
        client: Client,
        stream: String,
        queue_commits: usize,
        queue_bytes: usize,
        nudges: Arc<Nudges>,
    ) -> Self {
        let sink = Arc::new(Kinesis { client, stream: stream.clone() });
        Self::start_with(sink, stream, queue_commits, queue_bytes, nudges)
    }

    pub(super) fn start_with(
        sink: Arc<dyn Sink>,
        stream: String,
        queue_commits: usize,
        queue_bytes: usize,
        nudges: Arc<Nudges>,
    ) -> Self {
        let shared = Arc::new(Shared::new());
        tokio::spawn(task::run(Arc::clone(&shared), sink, nudges));
        let inner = Inner {
            shared,
            stream,
            commands: Rooms::new(queue_commits, queue_bytes),
            redelivered: Rooms::new(limits::REDELIVERED_COMMITS, limits::REDELIVERED_BYTES),
            stopping: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Room for a commit of this process, before it is written.
    ///
    /// # Errors
    /// [`Full`] when too much is on its way, or the publisher is stopping.
    pub(crate) fn room(&self, bytes: usize) -> Result<Room, Full> {
        if self.inner.stopping.load(Ordering::Acquire) {
            return Err(Full::Stopping { retry_after: limits::RETRY_AFTER });
        }
        self.inner.commands.take(bytes).ok_or_else(|| self.full())
    }

    /// Room for a commit of a process that died, once there is one. It neither takes the room of this process's own
    /// commits nor waits for it, and a stop does not matter to it.
    ///
    /// # Cancel safety
    /// Nothing is taken when the future is dropped.
    pub(crate) async fn wait_for_room(&self, bytes: usize) -> Room {
        self.inner.redelivered.wait(bytes).await
    }

    /// Publishes a commit that has room. It never waits and never fails: it goes on until it has succeeded.
    pub(crate) fn publish(&self, room: Room, job: Job) {
        let key = (job.commit.stream.clone(), job.commit.first);
        let shared = &self.inner.shared;
        shared.machine().add(Instant::now(), key, room.bytes(), Parcel { job, room });
        shared.changed.notify_one();
    }

    /// Waits until everything that was given before this call is published and `done` was called for it.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub(crate) async fn flush(&self) {
        let shared = &self.inner.shared;
        let given = shared.machine().queue.arrivals();
        let published = shared.published_below.subscribe().wait_for(|below| *below >= given).await.is_ok();
        debug_assert!(published, "the sender lives as long as this publisher");
    }

    /// Takes no more commits of this process. What was given is published; commits that have room may still come.
    pub(crate) fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
    }

    /// How it is going.
    pub(crate) fn state(&self) -> PublisherState {
        let machine = self.inner.shared.machine();
        PublisherState {
            waiting_commits: machine.queue.commits(),
            waiting_bytes: machine.queue.bytes(),
            in_flight: machine.queue.in_flight(),
            silent_for: machine.silent_since().map(|since| since.elapsed()),
            condition: machine.condition(),
        }
    }

    fn full(&self) -> Full {
        let pause_ends = self.inner.shared.machine().pace.pause_ends();
        let pause = pause_ends.map(|until| until.saturating_duration_since(Instant::now()));
        Full::Queue {
            stream: self.inner.stream.clone(),
            taken: self.inner.commands.taken(),
            most: self.inner.commands.most(),
            state: self.state(),
            retry_after: pause.unwrap_or_default().max(limits::RETRY_AFTER),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.abandoned.store(true, Ordering::Release);
        self.shared.changed.notify_one();
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stream = &self.commit.stream;
        f.debug_struct("Job")
            .field("stream", stream)
            .field("version", &self.commit.first)
            .finish_non_exhaustive()
    }
}
