//! The task that sends: it owns the requests in flight and waits for answers, for time and for more to publish.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use headwater::Commit;
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::answer::Answer;
use super::handle::Job;
use super::machine::Machine;
use super::queue::FlightId;
use super::room::Room;
use super::sink::Sink;
use super::state::Condition;
use crate::feed::nudges::Nudges;

/// What the task shares with those who publish.
pub(super) struct Shared {
    machine: Mutex<Machine<Parcel>>,
    /// Something was added, or nobody is left who could.
    pub(super) changed: Notify,
    /// Everything that was added below this arrival number is published and its owner knows.
    pub(super) published_below: watch::Sender<u64>,
    /// Whether nobody is left who could add anything.
    pub(super) abandoned: AtomicBool,
}

/// A job and the room it takes.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) job: Job,
    pub(super) room: Room,
}

/// A request to be sent.
struct Request {
    flight: FlightId,
    commits: Vec<(Arc<Commit>, bool)>,
}

/// Requests in flight.
#[derive(Default)]
struct Requests {
    tasks: JoinSet<Answer>,
    flights: HashMap<Id, FlightId>,
}

/// Publishes until nobody can add anything and everything is published.
pub(super) async fn run(shared: Arc<Shared>, sink: Arc<dyn Sink>, nudges: Arc<Nudges>) {
    let mut requests = Requests::default();
    loop {
        while let Some(request) = shared.next() {
            requests.send(request, &sink);
        }
        let Some(wakes_at) = shared.wakes_at() else { return };
        // In a fixed order, so that a simulation can be repeated. Nothing starves: whatever wakes it, each round sends all
        // that may be sent, and there are never more answers than requests.
        tokio::select! {
            biased;
            Some((flight, answer)) = requests.answer() => shared.answered(flight, answer, &nudges),
            () = until(wakes_at) => {}
            () = shared.changed.notified() => {}
        }
    }
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            machine: Mutex::new(Machine::new(Instant::now())),
            changed: Notify::new(),
            published_below: watch::Sender::new(0),
            abandoned: AtomicBool::new(false),
        }
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine<Parcel>> {
        self.machine.lock().expect("no code panics while it holds this lock")
    }

    fn next(&self) -> Option<Request> {
        let mut machine = self.machine();
        let flight = machine.next(Instant::now())?;
        let commits = machine.queue.flight(flight).map(|parcel| {
            let job = &parcel.job;
            (Arc::clone(&job.commit), job.redelivered)
        });
        Some(Request { flight, commits: commits.collect() })
    }

    /// When to look again at the latest, if ever; nothing when it is over.
    fn wakes_at(&self) -> Option<Option<Instant>> {
        let machine = self.machine();
        let over = machine.queue.commits() == 0 && self.abandoned.load(Ordering::Acquire);
        (!over).then(|| machine.wakes_at(Instant::now()))
    }

    fn answered(&self, flight: FlightId, answer: Answer, nudges: &Nudges) {
        let mut machine = self.machine();
        let before = machine.condition();
        let landed = machine.answered(flight, answer, Instant::now());
        let after = machine.condition();
        let published_below = machine.queue.published_below();
        drop(machine);
        log(&before, &after);
        for place in &landed.places {
            nudges.published(&place.shard, &place.sequence);
        }
        for Parcel { job, room } in landed.published {
            // What others do with the news must not end the publishing of everything else. The panic is reported by
            // its hook.
            let _told = catch_unwind(AssertUnwindSafe(job.done));
            drop(room);
        }
        self.published_below.send_replace(published_below);
    }
}

impl Requests {
    fn send(&mut self, request: Request, sink: &Arc<dyn Sink>) {
        let sink = Arc::clone(sink);
        let task = self.tasks.spawn(async move { sink.put(request.commits).await });
        self.flights.insert(task.id(), request.flight);
    }

    /// The next answer; nothing when no request is in flight.
    ///
    /// # Cancel safety
    /// No answer is lost when the future is dropped.
    async fn answer(&mut self) -> Option<(FlightId, Answer)> {
        let (task, answer) = match self.tasks.join_next_with_id().await? {
            Ok(joined) => joined,
            Err(error) => (error.id(), ended(&error)),
        };
        self.flights.remove(&task).map(|flight| (flight, answer))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("published_below", &self.published_below).finish_non_exhaustive()
    }
}

fn ended(error: &JoinError) -> Answer {
    Answer::Failed(format!("a request ended without an answer: {error}"))
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Says when publishing breaks down and when it is mended.
fn log(before: &Condition, after: &Condition) {
    match (before, after) {
        (Condition::Broken { .. }, Condition::Broken { .. }) => {}
        (_, Condition::Broken { error }) => {
            tracing::error!(error, "commits cannot be published; they are kept, and it is tried again");
        }
        (Condition::Broken { .. }, _) => tracing::info!("commits are published again"),
        (Condition::Flowing, Condition::Throttled) => {
            tracing::warn!("Kinesis throttles the publishing of commits")
        }
        _ => {}
    }
}
