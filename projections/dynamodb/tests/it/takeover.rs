//! Two runners that share their leases in DynamoDB, on a real clock: takeover after a kill, hand-over in good order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::{Command, Decider, Event, EventFeed, EventStore, Recorded};
use headwater_projections::group::limits::RENEW_EVERY;
use headwater_projections::{
    Control, LeaseStore, MemoryRows, PartitionState, Project, RowStore, RunError, Runner,
};
use headwater_store_memory::MemoryStore;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::leases::embedded;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    Open,
}

#[derive(Debug, Serialize, thiserror::Error)]
enum Never {}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Aggregate)]
#[aggregate(category = "door")]
struct Door {}

impl Decider for Door {
    type Event = DoorEvent;
    type Command = DoorCommand;
    type Refusal = Never;

    fn decide(&self, _: DoorCommand) -> Result<Vec<DoorEvent>, Never> {
        Ok(vec![DoorEvent::Opened])
    }
    fn apply(&mut self, _: &DoorEvent) {}
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "openings", version = 1, from(Door))]
struct Openings {
    count: u64,
}

impl Project<Door> for Openings {
    fn apply(&mut self, _: &Recorded<'_, DoorEvent>) {
        self.count += 1;
    }
}

/// The partitions of the memory store.
const PARTITIONS: usize = 16;

struct Worker {
    control: Control,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Worker {
    fn start(store: &Arc<MemoryStore>, rows: &Arc<MemoryRows>, leases: &Arc<dyn LeaseStore>) -> Self {
        let (ledger, feed) =
            (Arc::clone(store) as Arc<dyn EventStore>, Arc::clone(store) as Arc<dyn EventFeed>);
        let runner = Runner::new(ledger, feed, Arc::clone(rows) as Arc<dyn RowStore>);
        let runner =
            runner.group("doors").unwrap().leases(Arc::clone(leases)).projection::<Openings>().unwrap();
        let control = runner.control();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(runner.run(async { drop(stopped.await) }));
        Self { control, stop, task }
    }

    /// Waits until it reads so many partitions.
    async fn until_it_reads(&self, partitions: usize) -> Duration {
        let begun = Instant::now();
        let caught_up = || {
            let states = self.control.status().partitions;
            states.values().filter(|partition| partition.state == PartitionState::CaughtUp).count()
        };
        while caught_up() != partitions {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", self.control.status());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_is_followed_in_eight_seconds_and_one_that_stops_in_one() {
    let leases: Arc<dyn LeaseStore> = Arc::new(embedded().await);
    let (store, rows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryRows::new()));
    let first = Worker::start(&store, &rows, &leases);
    first.until_it_reads(PARTITIONS).await;
    let second = Worker::start(&store, &rows, &leases);
    second.until_it_reads(PARTITIONS / 2).await;
    first.until_it_reads(PARTITIONS / 2).await;

    first.task.abort();
    let takeover = second.until_it_reads(PARTITIONS).await;
    assert!(takeover <= Duration::from_secs(8), "takeover took {takeover:?}");

    let third = Worker::start(&store, &rows, &leases);
    third.until_it_reads(PARTITIONS / 2).await;
    // Until then the third takes the first for alive, and would leave it a share.
    tokio::time::sleep(RENEW_EVERY * 2).await;
    second.stop.send(()).unwrap();
    let handover = third.until_it_reads(PARTITIONS).await;
    assert!(handover <= Duration::from_secs(1), "hand-over took {handover:?}");
    second.task.await.unwrap().unwrap();
    println!("takeover after a kill: {takeover:?}; hand-over in good order: {handover:?}");
    third.stop.send(()).unwrap();
    third.task.await.unwrap().unwrap();
    let left = leases.list("doors").await.unwrap();
    assert!(left.leases.values().all(|lease| lease.owner.is_none()), "every lease is released");
}
