//! The runner on the memory store, end to end, and on a row store that fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{Append, FeedBatch, Partition, PartitionId, Position, StoreError};
use headwater::{Event, EventFeed, EventStore, Expected, StreamName, Version};
use headwater_projections::rows::{Generation, LoadedRows, RowError, Wanted, Written};
use headwater_projections::{
    Control, MemoryRows, ReadError, ReadModels, RowStore, RunError, Runner, Transaction, limits,
};
use headwater_store_memory::MemoryStore;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::faulty::{Fault, Faulty};
use crate::harness::live;
use crate::model::{AccountEvent, Balance, Total, account, deposited, plain_balances, plain_totals};

const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    read_models: ReadModels,
    control: Control,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

fn start(store: &Arc<MemoryStore>, rows: &Arc<dyn RowStore>) -> Running {
    start_on(store, Arc::clone(store) as Arc<dyn EventFeed>, rows)
}

fn start_on(store: &Arc<MemoryStore>, feed: Arc<dyn EventFeed>, rows: &Arc<dyn RowStore>) -> Running {
    let ledger: Arc<dyn EventStore> = Arc::clone(store) as Arc<dyn EventStore>;
    let runner = Runner::new(ledger, feed, Arc::clone(rows));
    let runner = runner.projection::<Balance>().unwrap().projection::<Total>().unwrap();
    let read_models = runner.read_models();
    let control = runner.control();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(runner.run(async { drop(stopped.await) }));
    Running { read_models, control, stop, task }
}

impl Running {
    async fn wait(&self, versions: &BTreeMap<StreamName, Version>) {
        for (stream, version) in versions {
            for projection in ["balances", "totals"] {
                let applied = self.read_models.wait_applied(projection, stream, *version, PATIENCE).await;
                assert!(applied.unwrap(), "{projection} applies version {version} of {stream} in time");
            }
        }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

async fn append(store: &MemoryStore, id: &str, events: &[AccountEvent]) -> Version {
    let data = events.iter().map(|event| event.encode().unwrap()).collect();
    let appended = store.append(Append::new(account(id), Expected::Any, data)).await.unwrap();
    appended.commit.last()
}

/// Appends `commits` commits to each of 20 accounts; answers with the versions and the events.
async fn load_with(
    store: &MemoryStore,
    commits: i64,
) -> (BTreeMap<StreamName, Version>, BTreeMap<String, Vec<AccountEvent>>) {
    let (mut versions, mut plain) = (BTreeMap::new(), BTreeMap::<String, Vec<_>>::new());
    for round in 0..commits {
        for id in 0..20 {
            let day = ["mon", "tue", "wed"][(round + id) as usize % 3];
            let events = [deposited(round + id, day), AccountEvent::Noted {}];
            let version = append(store, &id.to_string(), &events).await;
            versions.insert(account(&id.to_string()), version);
            plain.entry(id.to_string()).or_default().extend(events);
        }
    }
    (versions, plain)
}

async fn assert_rows(rows: &dyn RowStore, plain: &BTreeMap<String, Vec<AccountEvent>>) {
    let got = live::<Balance>(rows).await.into_iter().map(|(key, row)| (key, (row.balance, row.events)));
    assert_eq!(got.collect::<BTreeMap<_, _>>(), plain_balances(plain));
    let got = live::<Total>(rows).await.into_iter().map(|(key, row)| (key, (row.total, row.count)));
    assert_eq!(got.collect::<BTreeMap<_, _>>(), plain_totals(plain));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_follow_the_feed_and_survive_a_restart_of_the_runner() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let running = start(&store, &rows);
    let (versions, _) = load_with(&store, 10).await;
    running.wait(&versions).await;
    running.stop().await;

    let running = start(&store, &rows);
    let (versions, more) = load_with(&store, 10).await;
    running.wait(&versions).await;
    let twice = more.into_iter().map(|(id, events)| (id, [events.clone(), events].concat())).collect();
    assert_rows(rows.as_ref(), &twice).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_on_the_same_rows_end_exact() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let (one, two) = (start(&store, &rows), start(&store, &rows));
    let (versions, plain) = load_with(&store, 30).await;
    let last_of_all = async {
        for (stream, version) in &versions {
            // Either runner may have applied it, so the one that is asked may have to look for itself.
            while one.read_models.applied("totals", stream).await.unwrap() < *version
                || one.read_models.applied("balances", stream).await.unwrap() < *version
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, last_of_all).await.unwrap();
    one.stop().await;
    two.stop().await;
    assert_rows(rows.as_ref(), &plain).await;
}

#[tokio::test]
async fn a_row_is_read_back_with_the_version_of_its_stream() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let running = start(&store, &rows);
    let version = append(&store, "1", &[deposited(5, "mon"), AccountEvent::Noted {}]).await;
    running.wait(&BTreeMap::from([(account("1"), version)])).await;
    let row = running.read_models.get("balances", "1").await.unwrap().unwrap();
    assert_eq!(row.revision.0, version.0);
    assert_eq!(running.read_models.get("balances", "2").await.unwrap(), None);
    assert_eq!(running.read_models.names().collect::<Vec<_>>(), ["balances", "totals"]);
    running.stop().await;
}

#[tokio::test]
async fn waits_end_in_time_when_nothing_comes_and_at_once_when_the_stream_is_parked() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let running = start(&store, &rows);
    let models = running.read_models.clone();
    let short = Duration::from_millis(20);
    assert!(!models.wait_applied("balances", &account("1"), Version(1), short).await.unwrap());
    append(&store, "1", &[deposited(1, "mon"), AccountEvent::Poison {}]).await;
    assert!(models.wait_applied("balances", &account("1"), Version(1), PATIENCE).await.unwrap());
    for _ in 0..2 {
        let stream = account("1");
        let parked = models.wait_applied("balances", &stream, Version(2), Duration::from_secs(3_600));
        assert!(!tokio::time::timeout(PATIENCE, parked).await.unwrap().unwrap());
    }
    assert_eq!(running.control.parked("balances", None, 10).await.unwrap().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn questions_about_what_is_not_there_are_refused_with_what_is() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let models = start(&store, &rows).read_models;
    let error = models.get("balance", "1").await.unwrap_err();
    assert_eq!(error.to_string(), "projection \"balance\" is unknown: known are balances, totals");
    let door = StreamName::parse("door/1").unwrap();
    let error = models.wait_applied("balances", &door, Version(1), PATIENCE).await.unwrap_err();
    assert!(matches!(error, ReadError::NotRead { .. }), "{error}");
    let ledger = Arc::clone(&store) as Arc<dyn EventStore>;
    let runner = Runner::new(ledger, store, rows).projection::<Total>().unwrap();
    let error = runner.projection::<Total>().unwrap_err();
    assert!(error.to_string().contains("totals is used twice"), "{error}");
}

/// Fails every third call, a write half of the time only after it has happened; says that every seventh was lost.
#[derive(Debug, Default)]
struct Shaky {
    calls: AtomicU64,
}

impl Shaky {
    fn call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    fn failed<T>() -> Result<T, RowError> {
        Err(RowError::Unavailable { attempted: "answer".to_owned(), source: "shaky".into() })
    }
}

#[async_trait]
impl Fault for Shaky {
    async fn load(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        wanted: &Wanted,
    ) -> Result<LoadedRows, RowError> {
        if self.call().is_multiple_of(3) { Self::failed() } else { rows.load(generation, wanted).await }
    }
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let call = self.call();
        match call % 6 {
            _ if call % 7 == 5 => Ok(Written::Lost),
            0 => Self::failed(),
            3 => {
                let _ = rows.write(generation, transaction).await?;
                Self::failed()
            }
            _ => rows.write(generation, transaction).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_exact_over_a_row_store_that_fails_and_loses_answers() {
    let store = Arc::new(MemoryStore::new());
    let shaky = Arc::new(Faulty::<Shaky>::default());
    let rows: Arc<dyn RowStore> = Arc::clone(&shaky) as Arc<dyn RowStore>;
    let running = start(&store, &rows);
    let (versions, plain) = load_with(&store, 5).await;
    let memory = &shaky.rows;
    let generations = [Generation::new("balances", 1), Generation::new("totals", 1)];
    for (stream, version) in &versions {
        let wanted = Wanted { rows: [stream.id().to_owned()].into(), streams: [stream.clone()].into() };
        loop {
            let one = memory.load(&generations[0], &wanted).await.unwrap().rows;
            let many = memory.load(&generations[1], &wanted).await.unwrap().versions;
            let one = one.first().map_or(0, |row| row.revision.0);
            if one == version.0 && many.first().is_some_and(|(_, applied)| applied == version) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_rows(rows.as_ref(), &plain).await;
    running.stop().await;
}

/// Says of every second write that another owner was first.
#[derive(Debug, Default)]
struct Rivals {
    writes: AtomicU64,
}

#[async_trait]
impl Fault for Rivals {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let lost = self.writes.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if lost { Ok(Written::Lost) } else { rows.write(generation, transaction).await }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_to_another_owner_is_loaded_and_decided_again() {
    let store = Arc::new(MemoryStore::new());
    let rows: Arc<dyn RowStore> = Arc::new(Faulty::<Rivals>::default());
    let running = start(&store, &rows);
    let (versions, plain) = load_with(&store, 5).await;
    running.wait(&versions).await;
    assert_rows(rows.as_ref(), &plain).await;
    running.stop().await;
}

/// Takes a tenth of a second for each write: all of a batch, one after the other, take less than a stop has patience.
#[derive(Debug, Default)]
struct Slow {
    begun: AtomicU64,
    done: AtomicU64,
}

#[async_trait]
impl Fault for Slow {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let written = rows.write(generation, transaction).await;
        self.done.fetch_add(1, Ordering::Relaxed);
        written
    }
}

#[tokio::test(start_paused = true)]
async fn the_batch_under_way_is_written_before_a_worker_stops() {
    let store = Arc::new(MemoryStore::new());
    let slow = Arc::new(Faulty::<Slow>::default());
    let rows: Arc<dyn RowStore> = Arc::clone(&slow) as Arc<dyn RowStore>;
    let _loaded = load_with(&store, 1).await;
    let running = start(&store, &rows);
    while slow.fault.begun.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(slow.fault.done.load(Ordering::Relaxed), 0);
    running.stop().await;
    let (begun, done) = (slow.fault.begun.load(Ordering::Relaxed), slow.fault.done.load(Ordering::Relaxed));
    assert_eq!(done, begun, "a write was given up half-way");
}

/// Brings only the commits that end at a version from `from` on, each twice and each batch backwards.
#[derive(Debug)]
struct Lossy {
    store: Arc<MemoryStore>,
    from: u64,
}

#[async_trait]
impl EventFeed for Lossy {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        self.store.partitions().await
    }
    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let mut batch = self.store.read_after(partition, position, limit).await?;
        batch.records.retain(|record| record.commit.last().0 >= self.from);
        batch.records.reverse();
        let again = batch.records.clone();
        batch.records.extend(again);
        Ok(batch)
    }
    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration) {
        self.store.wait(partition, position, timeout).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_feed_never_brings_is_read_from_the_ledger() {
    let store = Arc::new(MemoryStore::new());
    let (mut versions, mut plain) = load_with(&store, 30).await;
    // More commits than are filled into one batch, and then more than two batches hold.
    for (id, commits) in [("long", limits::FILL_COMMITS + 7), ("longer", limits::FILL_COMMITS * 2)] {
        for n in 0..commits {
            let event = deposited(n as i64, "mon");
            versions.insert(account(id), append(&store, id, std::slice::from_ref(&event)).await);
            plain.entry(id.to_owned()).or_default().push(event);
        }
    }
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let lossy = Arc::new(Lossy { store: Arc::clone(&store), from: 60 });
    let running = start_on(&store, Arc::clone(&lossy) as Arc<dyn EventFeed>, &rows);
    running.wait(&versions).await;
    running.stop().await;
    assert_rows(rows.as_ref(), &plain).await;

    // Of the short streams nothing arrives at all, of the long ones only the last commit.
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let lossy = Arc::new(Lossy { store: Arc::clone(&store), from: limits::FILL_COMMITS as u64 + 7 });
    versions.retain(|stream, _| stream.id().starts_with("long"));
    plain.retain(|id, _| id.starts_with("long"));
    let running = start_on(&store, lossy, &rows);
    running.wait(&versions).await;
    running.stop().await;
    assert_rows(rows.as_ref(), &plain).await;
}
