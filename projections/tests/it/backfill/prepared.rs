//! What an operation needs is prepared, slowly, while everybody sees that its process is alive.

use std::sync::Arc;
use std::time::Duration;

use headwater_projections::backfill::{AskedFor, Budget, OperationState, Operations};
use headwater_projections::group::WorkerId;
use headwater_projections::group::limits::EXPIRY;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::operations::{asked, backfill, operations, until, wish, world};
use super::world::World;

/// Why nothing was prepared.
#[derive(Debug, thiserror::Error)]
#[error("the bucket does not answer")]
struct Closed;

/// How long it takes to prepare.
const LONG: Duration = Duration::from_secs(30);

/// What stops it.
enum Tell {
    Cancel,
    Stop,
    GiveUp,
}

/// An operation whose process prepares it for long, and then carries it out if it could be prepared; whether it did.
struct Preparing {
    elsewhere: Operations,
    id: Arc<str>,
    stop: watch::Sender<bool>,
    work: JoinHandle<Result<bool, Closed>>,
}

impl Preparing {
    async fn begun(world: &World, ends: Result<(), Closed>) -> Self {
        let (mine, elsewhere) = (operations(world), operations(world));
        let id = asked(&elsewhere).await.id;
        let taken = mine.take(&WorkerId::random(), |_| true).await.unwrap().expect("one is queued");
        let backfill = backfill(world, Budget::Unlimited);
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn(async move {
            let preparing = async {
                sleep(LONG).await;
                ends.map(|()| backfill)
            };
            let prepared = mine.prepared(taken, preparing, stopped.clone()).await?;
            let Some((operation, backfill)) = prepared else { return Ok(false) };
            Ok(mine.carry_out(operation, &backfill, stopped).await.unwrap().live)
        });
        Self { elsewhere, id, stop, work }
    }

    async fn ended(&self) -> OperationState {
        until(&self.elsewhere, &self.id, |one| one.state.is_ended()).await.state
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_prepared_for_long_is_alive_and_then_carried_out() {
    let world = world().await;
    let preparing = Preparing::begun(&world, Ok(())).await;
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        assert_eq!(preparing.elsewhere.get(&preparing.id).await.unwrap().state, OperationState::Running);
        sleep(EXPIRY / 10).await;
    }
    let asked = operations(&world).ask("balances", 1, &wish("bob")).await.unwrap();
    assert!(matches!(&asked, AskedFor::There(there) if there.id == preparing.id), "{asked:?}");
    assert_eq!(preparing.ended().await, OperationState::Done);
    assert!(preparing.work.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_prepared_says_why() {
    let world = world().await;
    let preparing = Preparing::begun(&world, Err(Closed)).await;
    assert_eq!(preparing.ended().await, OperationState::Failed);
    let failed = preparing.elsewhere.get(&preparing.id).await.unwrap();
    assert_eq!(failed.report.problem.as_deref(), Some("the bucket does not answer"));
    assert!(preparing.work.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_being_prepared_stops_when_it_is_told_to() {
    for (tell, state) in [
        (Tell::Cancel, OperationState::Cancelled),
        (Tell::Stop, OperationState::Interrupted),
        (Tell::GiveUp, OperationState::Interrupted),
    ] {
        let world = world().await;
        let preparing = Preparing::begun(&world, Ok(())).await;
        sleep(Duration::from_secs(3)).await;
        let begun = Instant::now();
        match tell {
            Tell::Cancel => drop(preparing.elsewhere.cancel(&preparing.id, "bob").await.unwrap()),
            Tell::Stop => drop(preparing.stop.send_replace(true)),
            Tell::GiveUp => preparing.elsewhere.interrupt_all().await.unwrap(),
        }
        assert_eq!(preparing.ended().await, state);
        assert!(!preparing.work.await.unwrap().unwrap(), "nothing was carried out");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
