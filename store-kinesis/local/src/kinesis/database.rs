//! The thread that owns the database, and the queue in front of it.
//!
//! What waits in the queue shares one transaction, each operation in a savepoint of its own, and one flush to the
//! disk. Nobody gets an answer before that flush.

use std::{
    cell::Cell,
    thread::{Builder, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::{failure::Failure, throttle::Throttle};

/// How many operations may wait; more wait for a place in the queue.
const QUEUE: usize = 256;
/// How many operations share a transaction.
const GROUP: usize = 32;

/// An operation inside of the transaction; what it returns is called with the fate of the transaction.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), Failure>)>;

/// A handle to the thread; the thread ends with the last one.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    queue: mpsc::Sender<Job>,
    written: watch::Receiver<u64>,
}

/// What an operation may use.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    /// The database.
    pub(crate) connection: &'a Connection,
    /// The time in milliseconds since 1970; it never goes back.
    pub(crate) now: i64,
    /// How long a change of a stream lasts, in milliseconds.
    pub(crate) transition: i64,
    /// What each shard may still take and give.
    pub(crate) throttle: &'a Throttle,
    wrote: &'a Cell<bool>,
}

impl Transaction<'_> {
    /// Says that readers at the tip have something to look at.
    pub(crate) fn wake_readers(&self) {
        self.wrote.set(true);
    }

    fn attempt<T>(&self, work: impl FnOnce(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        self.connection.execute_batch("SAVEPOINT operation")?;
        let result = work(self);
        if result.is_err() {
            self.connection.execute_batch("ROLLBACK TO operation")?;
        }
        self.connection.execute_batch("RELEASE operation")?;
        result
    }
}

impl Database {
    /// Starts the thread.
    pub(crate) fn start(
        connection: Connection,
        transition: Duration,
        throttle: Throttle,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (writes, written) = watch::channel(0);
        let transition = i64::try_from(transition.as_millis()).unwrap_or(i64::MAX / 4);
        let thread = Builder::new()
            .name("local Kinesis database".to_owned())
            .spawn(move || run(&connection, transition, &throttle, jobs, &writes))?;
        Ok((Self { queue, written }, thread))
    }

    /// Does an operation in a transaction and waits until it is on the disk.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let stopped = || Failure::internal("the database has stopped");
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let result = transaction.attempt(work);
            // Nobody may be waiting any more, which does not undo the operation.
            Box::new(move |fate: Result<(), Failure>| drop(send.send(fate.and(result))))
        });
        self.queue.send(job).await.map_err(|_| stopped())?;
        receive.await.map_err(|_| stopped())?
    }

    /// Changes whenever records or shards were added.
    pub(crate) fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }
}

fn run(
    connection: &Connection,
    transition: i64,
    throttle: &Throttle,
    mut jobs: mpsc::Receiver<Job>,
    writes: &watch::Sender<u64>,
) {
    let wrote = Cell::new(false);
    let mut now = 0;
    while let Some(first) = jobs.blocking_recv() {
        let mut answers = Vec::new();
        let begun = connection.execute_batch("BEGIN").map_err(Failure::from);
        let mut next = Some(first);
        while let Some(job) = next {
            now = milliseconds_since_1970().max(now);
            answers.push(job(&Transaction { connection, now, transition, throttle, wrote: &wrote }));
            next = if answers.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        let fate = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(Failure::from));
        if fate.is_err() && !connection.is_autocommit() {
            // A transaction that can neither be committed nor given up leaves nothing to save: the next BEGIN says so.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for answer in answers {
            answer(fate.clone());
        }
        if wrote.take() {
            writes.send_modify(|count| *count += 1);
        }
    }
}

fn milliseconds_since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Does an operation at a time of a test's choice.
#[cfg(test)]
pub(crate) fn at<T>(
    connection: &Connection,
    now: i64,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
) -> T {
    let (wrote, throttle) = (Cell::new(false), Throttle::default());
    let transaction = Transaction { connection, now, transition: 0, throttle: &throttle, wrote: &wrote };
    transaction.attempt(work).expect("the test asks for something possible")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::schema;

    #[tokio::test]
    async fn a_refused_operation_leaves_nothing_and_does_not_hurt_its_neighbours() {
        let connection = schema::open(None).unwrap();
        let (database, thread) = Database::start(connection, Duration::ZERO, Throttle::default()).unwrap();
        let insert = |name: &'static str, fails: bool| {
            database.call(move |tx| {
                let sql = "INSERT INTO consumers VALUES (1, ?1, ?1, 0, 0)";
                tx.connection.execute(sql, [name])?;
                if fails { Err(Failure::argument("refused")) } else { Ok(()) }
            })
        };
        let (one, two, three) =
            tokio::join!(insert("one", false), insert("two", true), insert("three", false));
        assert_eq!((one, three), (Ok(()), Ok(())));
        assert_eq!(two, Err(Failure::argument("refused")));
        let count = |tx: &Transaction<'_>| {
            let count = tx.connection.query_row("SELECT count(*) FROM consumers", [], |row| row.get(0));
            Ok(count?)
        };
        assert_eq!(database.call(count).await, Ok(2_i64));
        drop(database);
        thread.join().unwrap();
    }
}
