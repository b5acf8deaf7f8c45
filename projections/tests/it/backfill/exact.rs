//! A backfill comes to the rows that the step comes to, in any memory and from any history, and live traffic goes on.

use std::sync::Arc;
use std::time::Duration;

use headwater::{EventFeed, EventStore};
use headwater_projections::backfill::{Options, Phase, Switch, SwitchError};
use headwater_projections::{GROUP, rows::Generation};
use headwater_projections::{LeaseStore, MemoryRows, Projection, RowStore, Runner};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::sync::watch;

use super::world::{Archive, World, rows};
use crate::harness::{Owner, generation};
use crate::model::{AccountEvent, Balance, Total, deposited};

fn any_event(poison: u32) -> impl Strategy<Value = AccountEvent> {
    let day = prop_oneof![Just("mon"), Just("tue"), Just("wed")];
    prop_oneof![
        12 => (1..100_i64, day).prop_map(|(amount, day)| deposited(amount, day)),
        4 => Just(AccountEvent::Noted {}),
        2 => Just(AccountEvent::Closed {}),
        poison => Just(AccountEvent::Poison {}),
    ]
}

/// Streams, each a list of commits of 1 to 3 events.
fn any_streams(poison: u32) -> impl Strategy<Value = Vec<Vec<Vec<AccountEvent>>>> {
    vec(vec(vec(any_event(poison), 1..4), 1..6), 1..12)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// Builds without waiting for anybody to follow, in the generation that comes out.
async fn build<P: Projection>(world: &World, archive: Option<Archive>, memory_bytes: usize) -> Generation {
    let backfill = match archive {
        Some(archive) => world.of::<P>(Arc::new(archive)),
        None => world.of_ledger::<P>(),
    };
    let mut options: Options = backfill.options;
    (options.memory_bytes, options.promote) = (memory_bytes, false);
    let backfill = headwater_projections::backfill::Backfill { options, ..backfill };
    let (_keep, stop) = watch::channel(false);
    // Nobody has read the feed, so the new generation is level from the beginning.
    let built = backfill.run(stop).await.unwrap();
    assert_eq!(backfill.progress.phase(), Phase::Done);
    Generation::new(P::NAME, built.generation)
}

/// What the step makes of the whole ledger, and whom it parks.
async fn stepped<P: Projection>(world: &World) -> (Arc<dyn RowStore>, Vec<(String, u64)>) {
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let mut owner = Owner::<P>::new(Arc::clone(&rows), Default::default());
    for commit in &world.commits {
        owner.carry(std::slice::from_ref(commit)).await;
    }
    let parked = parked(rows.as_ref(), &generation::<P>()).await;
    (rows, parked)
}

async fn parked(rows: &dyn RowStore, generation: &Generation) -> Vec<(String, u64)> {
    let parked = rows.parked(generation, None, 1_000).await.unwrap();
    parked.into_iter().map(|parked| (parked.stream.to_string(), parked.first_failing.0)).collect()
}

async fn check<P: Projection>(world: &World, archive: Option<Archive>, memory_bytes: usize) {
    let new = build::<P>(world, archive, memory_bytes).await;
    let (expected, failing) = stepped::<P>(world).await;
    assert_eq!(
        rows::<P>(world.rows.as_ref(), &new).await,
        rows::<P>(expected.as_ref(), &generation::<P>()).await
    );
    assert_eq!(parked(world.rows.as_ref(), &new).await, failing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_of_a_backfill_are_those_of_the_step_for_any_memory_and_history(
        streams in any_streams(1),
        lanes in 1..4_usize,
        file in 1..9_usize,
        archived in 0..100_usize,
        memory in prop_oneof![Just(1_usize << 30), 1_500..20_000_usize],
    ) {
        block_on(async {
            let mut world = World::new(Arc::new(MemoryRows::new()));
            for round in 0..6 {
                for (id, commits) in streams.iter().enumerate() {
                    if let Some(events) = commits.get(round) {
                        world.append(&id.to_string(), events).await;
                    }
                }
            }
            // What the archive lacks at its end is not a gap: the feed brings it. So it has all of each stream, or all
            // but commits in the middle.
            let mut commits = world.commits.clone();
            let middle = |place: usize| {
                let commit = &world.commits[place];
                world.commits[place + 1..].iter().any(|later| later.stream == commit.stream)
            };
            let lost = world.commits.len() * archived / 100;
            if lost < commits.len() && middle(lost) {
                commits.remove(lost);
            }
            check::<Balance>(&world, Some(Archive::of(&commits, lanes, file)), memory).await;
            check::<Balance>(&world, None, memory).await;
            // A shared projection needs room for every stream.
            check::<Total>(&world, Some(Archive::of(&commits, lanes, file)), memory.max(4_500)).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_backfill_under_live_traffic_is_exact_at_the_switch_and_goes_back_and_is_dropped() {
    let mut world = World::new(Arc::new(MemoryRows::new()));
    for id in 0..60 {
        world.append(&id.to_string(), &[deposited(id, "mon"), AccountEvent::Noted {}]).await;
    }
    let runner = Runner::new(
        Arc::clone(&world.ledger) as Arc<dyn EventStore>,
        Arc::clone(&world.ledger) as Arc<dyn EventFeed>,
        Arc::clone(&world.rows),
    );
    let runner = runner.leases(Arc::clone(&world.leases) as Arc<dyn LeaseStore>);
    let runner = runner.projection::<Balance>().unwrap().projection::<Total>().unwrap();
    let models = runner.read_models();
    let running = tokio::spawn(runner.run(std::future::pending::<()>()));
    let (_keep, stop) = watch::channel(false);
    let backfills = [world.of_ledger::<Balance>(), world.of_ledger::<Total>()];
    let building: Vec<_> = backfills
        .into_iter()
        .map(|backfill| {
            let stop = stop.clone();
            tokio::spawn(async move { backfill.run(stop).await })
        })
        .collect();
    for round in 0..40 {
        for id in 0..20 {
            world.append(&id.to_string(), &[deposited(round, "tue")]).await;
        }
        let row = models.get("balances", "3").await.unwrap();
        assert!(row.is_none_or(|row| row.revision.0 >= 2), "never less than there was");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for building in building {
        let built = tokio::time::timeout(Duration::from_secs(60), building).await.unwrap().unwrap().unwrap();
        assert!(built.live && built.generation == 2, "{built:?}");
    }
    let (balances, _) = stepped::<Balance>(&world).await;
    let (totals, _) = stepped::<Total>(&world).await;
    let exact = async {
        loop {
            let same = rows::<Balance>(world.rows.as_ref(), &Generation::new("balances", 2)).await
                == rows::<Balance>(balances.as_ref(), &generation::<Balance>()).await
                && rows::<Total>(world.rows.as_ref(), &Generation::new("totals", 2)).await
                    == rows::<Total>(totals.as_ref(), &generation::<Total>()).await;
            if same {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), exact).await.unwrap();

    let leases = Arc::clone(&world.leases) as Arc<dyn LeaseStore>;
    let switch = Switch::new(leases, Arc::clone(&world.rows), GROUP);
    assert_eq!(switch.rollback("balances", true).await.unwrap().live, 1);
    let error = switch.rollback("balances", true).await.unwrap_err();
    assert!(matches!(error, SwitchError::NothingBefore { live: 1, .. }), "{error}");
    assert!(switch.drop_generation("balances", 1).await.is_err(), "the live one stays");
    assert_eq!(switch.promote("balances", 2, true).await.unwrap().live, 2);
    assert_eq!(switch.drop_generation("balances", 1).await.unwrap().made.len(), 1);
    assert!(rows::<Balance>(world.rows.as_ref(), &Generation::new("balances", 1)).await.is_empty());
    assert_eq!(models.find("balances", "3").await.unwrap().generation, 2);
    running.abort();
}
