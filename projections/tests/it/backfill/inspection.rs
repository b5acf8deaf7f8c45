//! Live rows compared with the ledger at any time, and put right one by one, while a runner keeps them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected};
use headwater_projections::backfill::{BackfillError, Inspection, Progress, Target, Verdict, Verify};
use headwater_projections::rows::{Generation, RowError, StoredRow, Wanted, Written};
use headwater_projections::{
    Control, Expect, GROUP, LeaseStore, MemoryRows, Projection, Revision, RowStore, RowWrite, Runner,
    Transaction,
};
use headwater_store_memory::MemoryStore;
use tokio::task::JoinHandle;

use super::world::{World, rows};
use crate::faulty::{Fault, Faulty};
use crate::group::slow_rows::SlowRows;
use crate::model::{AccountEvent, Balance, Total, account, deposited, plain_balances, plain_totals};

const DAYS: [&str; 3] = ["mon", "tue", "wed"];

async fn world(rows: Arc<dyn RowStore>) -> World {
    let mut world = World::new(rows);
    for round in 0..4 {
        for id in 0..30_usize {
            let events = [deposited(round + 1, DAYS[(id + round as usize) % 3]), AccountEvent::Noted {}];
            world.append(&id.to_string(), &events).await;
        }
    }
    world
}

fn inspection<P: Projection>(world: &World) -> Inspection {
    Inspection {
        target: Target::of::<P>().unwrap(),
        ledger: Arc::clone(&world.ledger) as Arc<dyn EventStore>,
        rows: Arc::clone(&world.rows),
        leases: Arc::clone(&world.leases) as Arc<dyn LeaseStore>,
        group: GROUP.into(),
        memory_bytes: 1 << 20,
        progress: Arc::new(Progress::default()),
    }
}

fn run(world: &World) -> (JoinHandle<()>, Control) {
    let runner = Runner::new(
        Arc::clone(&world.ledger) as Arc<dyn EventStore>,
        Arc::clone(&world.ledger) as Arc<dyn EventFeed>,
        Arc::clone(&world.rows),
    );
    let runner = runner.leases(Arc::clone(&world.leases) as Arc<dyn LeaseStore>);
    let runner = runner.projection::<Balance>().unwrap().projection::<Total>().unwrap();
    let control = runner.control();
    let running = tokio::spawn(async move { drop(runner.run(std::future::pending::<()>()).await) });
    (running, control)
}

/// Waits until the rows are those of a plain fold.
async fn until_exact(world: &World, inside: &dyn RowStore) {
    let exact = async {
        loop {
            let balances = rows::<Balance>(inside, &Generation::new("balances", 1)).await.into_iter();
            let balances = balances.map(|(key, (row, _))| {
                (key, (row["balance"].as_i64().unwrap(), row["events"].as_u64().unwrap()))
            });
            let totals = rows::<Total>(inside, &Generation::new("totals", 1)).await.into_iter();
            let totals = totals.map(|(key, (row, _))| {
                (key, (row["total"].as_i64().unwrap(), row["count"].as_u64().unwrap()))
            });
            if balances.collect::<std::collections::BTreeMap<_, _>>() == plain_balances(&world.plain)
                && totals.collect::<std::collections::BTreeMap<_, _>>() == plain_totals(&world.plain)
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), exact).await.unwrap();
}

async fn stored(rows: &dyn RowStore, generation: &Generation, key: &str) -> StoredRow {
    let wanted = Wanted { rows: [key.to_owned()].into(), ..Wanted::default() };
    rows.load(generation, &wanted).await.unwrap().rows.remove(0)
}

/// Writes other fields into a row, by hand.
async fn plant(rows: &dyn RowStore, generation: &Generation, key: &str, fields: &str) -> Written {
    let there = stored(rows, generation, key).await;
    let row = RowWrite {
        key: key.to_owned(),
        fields: Some(fields.to_owned().into()),
        revision: there.revision,
        expect: Expect::Revision(there.revision),
    };
    let transaction = Transaction { rows: vec![row], versions: Vec::new() };
    rows.write(generation, &transaction).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn drift_that_was_planted_is_found_field_by_field_and_mended_and_nothing_else_is_touched() {
    let world = world(Arc::new(MemoryRows::new())).await;
    let (running, _) = run(&world);
    until_exact(&world, world.rows.as_ref()).await;
    let (own, shared) = (inspection::<Balance>(&world), inspection::<Total>(&world));
    for which in [Verify::Sample, Verify::All] {
        let found = own.verify(which).await.unwrap();
        assert_eq!((found.compared, found.different, found.behind), (30, 0, 0), "{found:?}");
        let found = shared.verify(which).await.unwrap();
        assert_eq!((found.compared, found.different), (4, 0), "{found:?}");
    }

    let generation = |name| Generation::new(name, 1);
    let planted = plant(
        world.rows.as_ref(),
        &generation("balances"),
        "7",
        r#"{"balance":11,"events":4,"closed":false}"#,
    )
    .await;
    assert_eq!(planted, Written::Done);
    let planted = plant(world.rows.as_ref(), &generation("totals"), "tue", r#"{"total":1,"count":40}"#).await;
    assert_eq!(planted, Written::Done);
    let before = rows::<Balance>(world.rows.as_ref(), &generation("balances")).await;
    for which in [Verify::Sample, Verify::All] {
        let found = own.verify(which).await.unwrap();
        assert_eq!((found.compared, found.different), (30, 1), "{found:?}");
        let said = found.differences[0].to_string();
        assert_eq!(said, "row \"7\": balance is 11, a fold of the ledger gives 10;");
    }
    let found = shared.verify(Verify::Sample).await.unwrap();
    assert_eq!(
        (found.compared, found.different, found.differences[0].key.as_str()),
        (4, 1, "tue"),
        "{found:?}"
    );
    assert!(matches!(own.look("7").await.unwrap(), Verdict::Differs(_)));
    assert!(matches!(shared.look("tue").await.unwrap(), Verdict::Differs(_)));
    assert_eq!(own.look("8").await.unwrap(), Verdict::Same);
    assert_eq!(shared.look("all").await.unwrap(), Verdict::Same);

    let mended = own.repair("7").await.unwrap();
    assert!(mended.difference.is_some() && mended.revision == 8, "{mended:?}");
    assert!(shared.repair("tue").await.unwrap().difference.is_some());
    assert_eq!(own.repair("7").await.unwrap().difference, None, "what is right is left alone");
    let mut after = rows::<Balance>(world.rows.as_ref(), &generation("balances")).await;
    after.insert("7".to_owned(), before["7"].clone());
    assert_eq!(after, before, "no other row was touched");
    until_exact(&world, world.rows.as_ref()).await;
    assert_eq!(own.verify(Verify::All).await.unwrap().different, 0);
    assert_eq!(shared.verify(Verify::All).await.unwrap().different, 0);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_merely_behind_is_no_drift_and_a_repair_brings_it_to_the_end_of_its_stream() {
    let mut world = world(Arc::new(MemoryRows::new())).await;
    let (running, control) = run(&world);
    until_exact(&world, world.rows.as_ref()).await;
    for name in ["balances", "totals"] {
        control.pause(name).unwrap();
    }
    for id in ["3", "4", "new"] {
        world.append(id, &[deposited(5, "tue"), deposited(6, "wed")]).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (own, shared) = (inspection::<Balance>(&world), inspection::<Total>(&world));
    let found = own.verify(Verify::All).await.unwrap();
    assert_eq!((found.compared, found.different, found.behind), (31, 0, 3), "{found:?}");
    assert_eq!(own.look("new").await.unwrap(), Verdict::Behind);
    let found = shared.verify(Verify::All).await.unwrap();
    assert_eq!((found.compared, found.different), (4, 0), "{found:?}");

    let mended = own.repair("3").await.unwrap();
    assert_eq!(mended.revision, 10, "{mended:?}");
    for name in ["balances", "totals"] {
        control.resume(name).unwrap();
    }
    // The runner finds those versions done.
    until_exact(&world, world.rows.as_ref()).await;
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_repair_and_the_runner_at_the_same_row_do_not_undo_each_other() {
    let mut written = 0;
    for seed in 1..=6 {
        let slow = Arc::new(SlowRows::new(seed, 15));
        let mut world = world(Arc::clone(&slow) as Arc<dyn RowStore>).await;
        let (running, _) = run(&world);
        until_exact(&world, slow.inside()).await;
        let (own, shared) = (inspection::<Balance>(&world), inspection::<Total>(&world));
        let repairs = tokio::spawn(async move {
            let mut written = 0_u64;
            for _ in 0..40 {
                for (inspection, key) in [(&own, "3"), (&shared, "tue")] {
                    match inspection.repair(key).await {
                        Ok(repaired) => written += u64::from(repaired.difference.is_some()),
                        Err(BackfillError::Contended { .. }) => {}
                        Err(error) => panic!("seed {seed}: {error}"),
                    }
                }
            }
            written
        });
        let generation = Generation::new("balances", 1);
        let mut seen = 0;
        for round in 0..60 {
            world.append("3", &[deposited(round, "tue")]).await;
            tokio::time::sleep(Duration::from_millis(7 * (round as u64 % 5))).await;
            let revision = stored(slow.inside(), &generation, "3").await.revision.0;
            assert!(revision >= seen, "seed {seed}: {seen} became {revision}");
            seen = revision;
            if round % 4 == 0 {
                let _lost_or_done =
                    plant(slow.inside(), &generation, "3", r#"{"balance":-1,"events":1,"closed":false}"#)
                        .await;
                let totals = Generation::new("totals", 1);
                let _lost_or_done = plant(slow.inside(), &totals, "tue", r#"{"total":-1,"count":1}"#).await;
            }
        }
        written += repairs.await.unwrap();
        for (inspection, key) in [(inspection::<Balance>(&world), "3"), (inspection::<Total>(&world), "tue")]
        {
            while inspection.repair(key).await.is_err() {}
        }
        until_exact(&world, slow.inside()).await;
        running.abort();
    }
    assert!(written > 0, "a repair was in front of the runner now and then");
}

#[tokio::test(start_paused = true)]
async fn rows_of_other_code_are_not_compared() {
    #[derive(Debug, Default, Clone, serde::Serialize, serde::Deserialize, headwater::Projection)]
    #[projection(name = "balances", version = 2, from(crate::model::Account))]
    struct Newer {}
    impl headwater_projections::Project<crate::model::Account> for Newer {
        fn apply(&mut self, _: &headwater::Recorded<'_, AccountEvent>) {}
    }
    let world = world(Arc::new(MemoryRows::new())).await;
    let (running, _) = run(&world);
    until_exact(&world, world.rows.as_ref()).await;
    let error = inspection::<Newer>(&world).verify(Verify::All).await.unwrap_err();
    assert!(matches!(error, BackfillError::OtherVersion { live: 1, code: 2, .. }), "{error}");
    running.abort();
}

/// A runner that is faster: in the moment before the next write it applies another event to the row.
#[derive(Debug, Default)]
struct Overtaken(Mutex<Option<(Arc<MemoryStore>, Append, Transaction)>>);

#[async_trait]
impl Fault for Overtaken {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let faster = self.0.lock().unwrap().take();
        if let Some((ledger, append, faster)) = faster {
            ledger.append(append).await.unwrap();
            assert_eq!(rows.write(generation, &faster).await.unwrap(), Written::Done);
        }
        rows.write(generation, transaction).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_is_overtaken_reads_again_and_leaves_what_the_faster_one_wrote() {
    let rows = Arc::new(Faulty::<Overtaken>::default());
    let world = world(Arc::clone(&rows) as Arc<dyn RowStore>).await;
    let (running, _) = run(&world);
    until_exact(&world, &rows.rows).await;
    running.abort();
    let generation = Generation::new("balances", 1);
    let wrong = r#"{"balance":11,"events":4,"closed":false}"#;
    assert_eq!(plant(&rows.rows, &generation, "7", wrong).await, Written::Done);
    let faster = RowWrite {
        key: "7".to_owned(),
        fields: Some(r#"{"balance":15,"events":5,"closed":false}"#.into()),
        revision: Revision(9),
        expect: Expect::Revision(Revision(8)),
    };
    let event = vec![deposited(5, "tue").encode().unwrap()];
    let append = Append::new(account("7"), Expected::Any, event);
    let faster = Transaction { rows: vec![faster], versions: Vec::new() };
    *rows.fault.0.lock().unwrap() = Some((Arc::clone(&world.ledger), append, faster));
    let repaired = inspection::<Balance>(&world).repair("7").await.unwrap();
    assert_eq!((repaired.difference, repaired.revision), (None, 9), "the faster one had put it right");
    let there = stored(&rows.rows, &generation, "7").await;
    let fields: serde_json::Value = serde_json::from_slice(&there.fields.unwrap()).unwrap();
    assert_eq!((there.revision, &fields["balance"]), (Revision(9), &15.into()));
}
