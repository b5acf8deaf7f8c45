//! The table of a new generation is made while its rows are folded, and nothing is switched without it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use headwater_projections::backfill::{BackfillError, Progress};
use headwater_projections::rows::{Generation, LoadedRows, RowError, Wanted, Written};
use headwater_projections::{MemoryRows, Projection, RowStore, Transaction};
use tokio::sync::watch;
use tokio::time::sleep;

use super::world::{World, rows};
use crate::faulty::{Fault, Faulty};
use crate::model::{Balance, Total, deposited};

/// Events of the ledger.
const EVENTS: u64 = 30;
/// The generation that is built.
const NEW: u32 = 2;

/// Makes the table of the new generation when all events have been read, and not before.
#[derive(Debug, Default)]
struct AfterReading {
    progress: OnceLock<Arc<Progress>>,
    made: AtomicBool,
    too_early: AtomicBool,
}

impl AfterReading {
    fn asked(&self, generation: &Generation) {
        if generation.number == NEW && !self.made.load(Ordering::Relaxed) {
            self.too_early.store(true, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Fault for AfterReading {
    async fn prepare(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        indexes: &[&str],
    ) -> Result<(), RowError> {
        if generation.number == NEW {
            while self.progress.get().unwrap().snapshot().events < EVENTS {
                sleep(Duration::from_millis(10)).await;
            }
            // It takes a while longer than the fold, so that whoever writes first has to wait.
            sleep(Duration::from_secs(10)).await;
            self.made.store(true, Ordering::Relaxed);
        }
        rows.prepare(generation, indexes).await
    }
    async fn load(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        wanted: &Wanted,
    ) -> Result<LoadedRows, RowError> {
        self.asked(generation);
        rows.load(generation, wanted).await
    }
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        self.asked(generation);
        rows.write(generation, transaction).await
    }
}

/// Cannot make the table of the new generation, which takes a while to find out.
#[derive(Debug, Default)]
struct NoTable;

#[async_trait]
impl Fault for NoTable {
    async fn prepare(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        indexes: &[&str],
    ) -> Result<(), RowError> {
        if generation.number == NEW {
            sleep(Duration::from_secs(1)).await;
            return Err(RowError::Invalid { reason: "no more tables".to_owned() });
        }
        rows.prepare(generation, indexes).await
    }
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        assert_ne!(generation.number, NEW, "there is no such table");
        rows.write(generation, transaction).await
    }
}

async fn fill(world: &mut World) {
    for id in 0..EVENTS {
        world.append(&(id % 10).to_string(), &[deposited(1, "mon")]).await;
    }
}

async fn folds_meanwhile<P: Projection>() {
    let store = Arc::new(Faulty::<AfterReading>::default());
    let mut world = World::new(Arc::clone(&store) as Arc<dyn RowStore>);
    fill(&mut world).await;
    let backfill = world.of_ledger::<P>();
    store.fault.progress.set(Arc::clone(&backfill.progress)).unwrap();
    let (_keep, stop) = watch::channel(false);
    // Whoever waited for the table before the fold would wait for ever.
    let built = tokio::time::timeout(Duration::from_secs(600), backfill.run(stop)).await;
    let built = built.expect("the fold waits for the table").unwrap();
    assert_eq!((built.generation, built.live), (NEW, true));
    assert!(!store.fault.too_early.load(Ordering::Relaxed), "somebody did not wait for the table");
    assert!(!rows::<P>(&store.rows, &Generation::new(P::NAME, NEW)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_fold_does_not_wait_for_the_table_and_whoever_writes_first_does() {
    folds_meanwhile::<Balance>().await;
    folds_meanwhile::<Total>().await;
}

async fn stops_without<P: Projection>(events: bool) {
    let store = Arc::new(Faulty::<NoTable>::default());
    let mut world = World::new(Arc::clone(&store) as Arc<dyn RowStore>);
    if events {
        fill(&mut world).await;
    }
    let (_keep, stop) = watch::channel(false);
    let error = world.of_ledger::<P>().run(stop).await.unwrap_err();
    let is_it =
        matches!(&error, BackfillError::Rows(RowError::Invalid { reason }) if reason == "no more tables");
    assert!(is_it, "{error:?}");
    let all = world.generations(P::NAME).await;
    assert_eq!((all.live, all.promoted(NEW).is_err()), (1, true), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_made_stops_the_backfill_before_the_switch() {
    for events in [true, false] {
        stops_without::<Balance>(events).await;
        stops_without::<Total>(events).await;
    }
}
