//! What goes wrong: deaths, damage, holes, rows that are not what they should be. The live generation is never touched.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::{EventData, Version};
use headwater_projections::backfill::{Backfill, BackfillError, Options};
use headwater_projections::rows::{Generation, RowError, Written};
use headwater_projections::{LeaseStore, MemoryRows, Projection, RowStore, Transaction};
use tokio::sync::watch;

use super::world::{Archive, World, rows};
use crate::faulty::{Fault, Faulty};
use crate::group::slow_rows::SlowRows;
use crate::model::{AccountEvent, Balance, Total, account, commit, deposited, plain_balances, plain_totals};

async fn world(rows: Arc<dyn RowStore>) -> World {
    let mut world = World::new(rows);
    for round in 0..5 {
        for id in 0..40 {
            let day = ["mon", "tue", "wed"][(round + id) as usize % 3];
            world.append(&id.to_string(), &[deposited(round + id, day), AccountEvent::Noted {}]).await;
        }
    }
    world
}

fn without_promotion(backfill: Backfill, memory_bytes: usize) -> Backfill {
    let mut options: Options = backfill.options;
    (options.promote, options.memory_bytes) = (false, memory_bytes);
    Backfill { options, ..backfill }
}

async fn is_exact<P: Projection>(world: &World, rows_of: &dyn RowStore, number: u32) -> bool {
    let got = rows::<P>(rows_of, &Generation::new(P::NAME, number)).await.into_iter();
    let number = |fields: &serde_json::Value, name: &str| fields[name].as_i64().unwrap();
    match P::SHARED {
        false => {
            let got =
                got.map(|(key, (row, _))| (key, (number(&row, "balance"), number(&row, "events") as u64)));
            got.collect::<std::collections::BTreeMap<_, _>>() == plain_balances(&world.plain)
        }
        true => {
            let got = got.map(|(key, (row, _))| (key, (number(&row, "total"), number(&row, "count") as u64)));
            got.collect::<std::collections::BTreeMap<_, _>>() == plain_totals(&world.plain)
        }
    }
}

/// Ends backfills at one moment after the other, until one gets through.
async fn killed_again_and_again<P: Projection>(seed: u64, memory_bytes: usize) {
    let slow = Arc::new(SlowRows::new(seed, 9));
    let world = world(Arc::clone(&slow) as Arc<dyn RowStore>).await;
    let (_keep, stop) = watch::channel(false);
    let mut killed = 0;
    let built = loop {
        let one = without_promotion(world.of_ledger::<P>(), memory_bytes);
        let other = without_promotion(world.of_ledger::<P>(), memory_bytes);
        let (stop_one, stop_other) = (stop.clone(), stop.clone());
        let mut one = tokio::spawn(async move { one.run(stop_one).await });
        // Two share the work, and both are killed.
        let other = tokio::spawn(async move { other.run(stop_other).await });
        let patience = Duration::from_millis(40 * (killed + 1) * (killed + 1));
        match tokio::time::timeout(patience, &mut one).await {
            Ok(built) => {
                let other = other.await.unwrap();
                assert!(other.is_ok(), "seed {seed}: {other:?}");
                break built.unwrap().unwrap();
            }
            Err(_) => {
                one.abort();
                other.abort();
                killed += 1;
            }
        }
        assert!(killed < 100, "seed {seed}");
    };
    assert!(killed > 1, "seed {seed}: it was killed {killed} times only");
    assert!(is_exact::<P>(&world, slow.inside(), built.generation).await, "seed {seed}");
    assert_eq!(world.generations(P::NAME).await.live, 1);
    assert!(
        rows::<P>(slow.inside(), &Generation::new(P::NAME, 1)).await.is_empty(),
        "the live one is untouched"
    );
}

#[tokio::test(start_paused = true)]
async fn a_backfill_that_is_killed_at_any_moment_ends_exact_and_never_touches_the_live_generation() {
    for seed in 1..=3 {
        killed_again_and_again::<Balance>(seed, 20_000).await;
        killed_again_and_again::<Total>(seed, 1 << 30).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_cut_short_in_the_archive_is_named_and_the_ledger_fills_it_in() {
    for (missing, cut_short) in [
        (vec!["0/0"], vec![]),
        (vec![], vec!["1/1", "2/0"]),
        (vec!["0/3"], vec!["2/4"]),
        // Of the last files nothing that follows tells what is missing.
        (vec!["0/4", "0/5", "0/6"], vec!["1/6"]),
    ] {
        let world = world(Arc::new(MemoryRows::new())).await;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let archive = Archive {
            missing: names(&missing),
            cut_short: names(&cut_short),
            ..Archive::of(&world.commits, 3, 10)
        };
        let backfill = without_promotion(world.of::<Balance>(Arc::new(archive)), 1 << 30);
        let (_keep, stop) = watch::channel(false);
        let built = backfill.run(stop).await.unwrap();
        assert!(is_exact::<Balance>(&world, world.rows.as_ref(), built.generation).await);
        let notes = backfill.progress.take_notes().join("\n");
        for name in missing.iter().chain(&cut_short) {
            assert!(notes.contains(name), "{name} is named in {notes}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_nowhere_stops_the_backfill_before_the_switch_and_names_the_stream() {
    let world = world(Arc::new(MemoryRows::new())).await;
    let mut commits = world.commits.clone();
    let note = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    commits.push(commit(&account("odd"), 3, vec![note]));
    let backfill = world.of::<Balance>(Arc::new(Archive::of(&commits, 2, 10)));
    let (_keep, stop) = watch::channel(false);
    let error = backfill.run(stop).await.unwrap_err();
    let BackfillError::Hole { stream, version: Version(1) } = &error else { panic!("{error}") };
    assert_eq!(stream.as_str(), "account/odd");
    assert_eq!(world.generations("balances").await.live, 1);
}

/// Writes something else into one row.
#[derive(Debug, Default)]
struct Wrong;

#[async_trait]
impl Fault for Wrong {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let mut transaction = transaction.clone();
        for row in transaction.rows.iter_mut().filter(|row| row.key == "7") {
            row.fields = Some(r#"{"balance":1,"events":1,"closed":false}"#.into());
        }
        rows.write(generation, &transaction).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_differs_from_a_fold_of_the_ledger_stops_the_switch_and_is_shown_field_by_field() {
    let world = world(Arc::new(Faulty::<Wrong>::default())).await;
    // The second time nothing is written any more, and it is stopped all the same.
    for _ in 0..2 {
        let backfill = world.of_ledger::<Balance>();
        let (_keep, stop) = watch::channel(false);
        let error = backfill.run(stop).await.unwrap_err();
        let BackfillError::Differs { count: 1, first } = &error else { panic!("{error}") };
        assert_eq!(first, "7");
        let notes = backfill.progress.take_notes().join("\n");
        assert!(notes.contains("row \"7\": balance is 1, a fold of the ledger gives"), "{notes}");
    }
    assert_eq!(world.generations("balances").await.live, 1);
}

#[tokio::test(start_paused = true)]
async fn streams_that_the_new_code_cannot_apply_stop_the_switch() {
    let mut world = world(Arc::new(MemoryRows::new())).await;
    world.append("3", &[AccountEvent::Poison {}]).await;
    let backfill = world.of_ledger::<Balance>();
    let (_keep, stop) = watch::channel(false);
    let error = backfill.run(stop).await.unwrap_err();
    let BackfillError::Parked { count: 1, first, generation: 2 } = &error else { panic!("{error}") };
    assert_eq!(first.as_str(), "account/3");
    assert_eq!(world.generations("balances").await.live, 1);
}

#[tokio::test(start_paused = true)]
async fn rows_that_fit_into_no_memory_are_refused_with_what_to_do() {
    let world = world(Arc::new(MemoryRows::new())).await;
    let backfill = without_promotion(world.of_ledger::<Balance>(), 100);
    let (_keep, stop) = watch::channel(false);
    let error = backfill.run(stop).await.unwrap_err();
    assert!(matches!(error, BackfillError::Memory { budget: 100, .. }), "{error}");
    assert!(error.to_string().contains("--memory"), "{error}");
    let group = format!("backfill/{}", Generation::new("balances", 2));
    let slots = world.leases.list(&group).await.unwrap().leases;
    assert!(!slots.is_empty() && slots.values().all(|slot| slot.owner.is_none()), "others go on at once");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_counts_and_changes_nothing() {
    let world = world(Arc::new(MemoryRows::new())).await;
    let mut backfill = world.of_ledger::<Total>();
    backfill.options.dry_run = true;
    let (_keep, stop) = watch::channel(false);
    backfill.run(stop).await.unwrap();
    let done = backfill.progress.snapshot();
    assert_eq!((done.events, done.rows), (400, 4));
    assert_eq!(world.generations("totals").await.made.len(), 1);
}
