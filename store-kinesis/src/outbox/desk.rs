//! The outbox as the store sees it: tickets, and the tasks that keep the books.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use headwater::store::StoreError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::book::Book;
use super::doubts::Doubts;
use super::keeper::{Fate, Life};
use super::limits;
use super::takeover::Takeover;
use super::ticket::{Open, Ticket};
use super::watch::Watch;
use crate::ledger::Table;
use crate::publisher::Publisher;

/// The outbox of this process. Its tasks end with it.
#[derive(Debug)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    book: Book,
    table: Table,
    publisher: Publisher,
    doubts: Arc<Doubts>,
    /// The writer there is now; the first commit makes one.
    life: Mutex<Option<Arc<Life>>>,
    registering: tokio::sync::Mutex<()>,
    /// How often a writer could not be registered.
    failures: AtomicU64,
    stopping: AtomicBool,
}

impl Outbox {
    /// Starts to keep the books.
    pub(crate) fn start(book: Book, table: Table, publisher: Publisher, takeover_after: Duration) -> Self {
        let shared = Arc::new(Shared {
            book,
            table,
            publisher,
            doubts: Arc::default(),
            life: Mutex::default(),
            registering: tokio::sync::Mutex::default(),
            failures: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        });
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(until(stopped.clone(), keep(Arc::clone(&shared)))),
            tokio::spawn(until(stopped.clone(), look(Arc::clone(&shared)))),
            tokio::spawn(until(stopped, take_over(Arc::clone(&shared), takeover_after))),
        ];
        Self { shared, stop, tasks: Mutex::new(tasks) }
    }

    /// A ticket for a commit whose feed record has at most so many bytes.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when the publisher has no room, and what the control table answers when a writer has
    /// to be registered first. Nothing was written.
    ///
    /// # Cost
    /// Nothing, but for the first commit of a writer: 1 PutItem; and for the first after a long sleep: 1 UpdateItem.
    pub(crate) async fn ticket(&self, bytes: usize) -> Result<Ticket, StoreError> {
        let shared = &self.shared;
        let room = shared.publisher.room(bytes)?;
        for _ in 0..limits::REGISTER_TRIES {
            let life = shared.life().await?;
            life.confirm(&shared.book).await?;
            if let Some(number) = life.lanes.open() {
                let (lanes, publisher) = (Arc::clone(&life.lanes), shared.publisher.clone());
                let open = Open { lanes, number, room, publisher };
                return Ok(Ticket::new(open, Arc::clone(&shared.doubts)));
            }
            shared.end(&life);
        }
        let reason = "the writer of this process ended each time it was made".to_owned();
        Err(StoreError::Overloaded { reason, retry_after: None })
    }

    /// Publishes what is left, within [`limits::STOP_WITHIN`], and removes the writer. What is left even then, or is
    /// still in doubt, is published by another process, or by the next start. Says whether nothing known is left.
    pub(crate) async fn stop(&self) -> bool {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.publisher.stop();
        let emptied = tokio::time::timeout(limits::STOP_WITHIN, self.shared.empty()).await.is_ok();
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the outbox has failed");
            }
        }
        let life = self.shared.current().take();
        if let Some(life) = life
            && let Err(error) = life.end(&self.shared.book).await
        {
            tracing::warn!(%error, "the record of this writer could not be removed: another process will do it");
        }
        emptied
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.tasks().iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    /// The writer there is, or a new one.
    async fn life(&self) -> Result<Arc<Life>, StoreError> {
        if let Some(life) = self.current().clone() {
            return Ok(life);
        }
        let failures = self.failures.load(Ordering::Acquire);
        let _one_at_a_time = self.registering.lock().await;
        if let Some(life) = self.current().clone() {
            return Ok(life);
        }
        let unregistered = |why: &'static str| StoreError::Unavailable {
            attempted: "register this process as a writer".to_owned(),
            source: why.into(),
        };
        if self.stopping.load(Ordering::Acquire) {
            return Err(unregistered("it is stopping"));
        }
        // Whoever waited while another tried in vain does not try as well, one after the other.
        if self.failures.load(Ordering::Acquire) != failures {
            return Err(unregistered("another commit has just tried in vain"));
        }
        let registered = self.register().await;
        if registered.is_err() {
            self.failures.fetch_add(1, Ordering::AcqRel);
        }
        registered
    }

    async fn register(&self) -> Result<Arc<Life>, StoreError> {
        for _ in 0..limits::REGISTER_TRIES {
            let id = format!("{:016x}", fastrand::u64(..));
            if self.book.register(&id, limits::LANES).await? {
                let life = Arc::new(Life::new(id));
                *self.current() = Some(Arc::clone(&life));
                return Ok(life);
            }
        }
        let reason = "no free name for the writer of this process was found".to_owned();
        Err(StoreError::Overloaded { reason, retry_after: None })
    }

    /// Forgets a writer that has ended.
    fn end(&self, ended: &Arc<Life>) {
        self.current().take_if(|life| Arc::ptr_eq(life, ended));
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Life>>> {
        self.life.lock().expect("no code panics while it holds this lock")
    }

    /// Waits until everything is published that is known to be written. What is still in doubt stays on the books, and
    /// whoever takes over looks for it.
    async fn empty(&self) {
        loop {
            let looked_for = self.doubts.are_looked_for();
            self.publisher.flush().await;
            if looked_for {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Runs a task until a stop is asked for, or whoever asks is gone.
async fn until(mut stopped: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = task => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

/// Looks for commits in doubt. A task of its own: a slow ledger must not hold up the marks.
async fn look(shared: Arc<Shared>) {
    let mut tick = ticks(limits::LOOK_EVERY);
    loop {
        tick.tick().await;
        shared.doubts.look(&shared.table).await;
    }
}

/// Saves marks.
async fn keep(shared: Arc<Shared>) {
    let mut tick = ticks(limits::SAVE_EVERY);
    loop {
        tick.tick().await;
        let life = shared.current().clone();
        let Some(life) = life else { continue };
        match life.save(&shared.book).await {
            Ok(Fate::Lives) => {}
            Ok(Fate::Ended) => shared.end(&life),
            // The next save makes up for it. If it takes too long, another process takes over, which costs repeats.
            Err(error) => tracing::warn!(%error, "the marks of this writer could not be saved"),
        }
    }
}

/// Watches the other writers.
async fn take_over(shared: Arc<Shared>, after: Duration) {
    let every = (after / 4).clamp(Duration::from_millis(100), limits::WATCH_EVERY);
    let mut takeover = Takeover {
        book: shared.book.clone(),
        table: shared.table.clone(),
        publisher: shared.publisher.clone(),
        watch: Watch::new(after),
        published: std::collections::HashSet::new(),
    };
    let mut tick = ticks(every);
    loop {
        tick.tick().await;
        let own = shared.current().as_ref().map(|life| life.lanes.id().to_owned());
        if let Err(error) = takeover.look(own.as_deref()).await {
            tracing::warn!(%error, "the writers of other processes could not be looked after");
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
