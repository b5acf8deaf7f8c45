//! Projections that come late or pause, positions that are lost, and a feed that says nothing.

use std::time::Duration;

use headwater_projections::{PartitionState, ProjectionState};
use tokio::time::Instant;

use super::world::World;
use crate::harness::live;
use crate::model::{AccountEvent, Balance, Total, deposited, plain_balances, plain_totals};

async fn balances_are_exact(world: &World) -> bool {
    let rows = live::<Balance>(world.rows.inside()).await.into_iter();
    let rows = rows.map(|(key, row)| (key, (row.balance, row.events)));
    rows.collect::<std::collections::BTreeMap<_, _>>() == plain_balances(&world.plain)
}

async fn totals_are_exact(world: &World) -> bool {
    let rows =
        live::<Total>(world.rows.inside()).await.into_iter().map(|(key, row)| (key, (row.total, row.count)));
    rows.collect::<std::collections::BTreeMap<_, _>>() == plain_totals(&world.plain)
}

fn states(world: &World, slot: usize) -> Vec<PartitionState> {
    world.control(slot).status().partitions.into_values().map(|partition| partition.state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_projection_that_joins_a_group_late_misses_nothing_and_holds_nobody_up() {
    let mut world = World::new(4, 1, 0, 1);
    // The ledger is read as well, but not so fast that it would decide anything here.
    world.ledger.slow_down(Duration::from_secs(1), 10);
    let runner = world.runner().projection::<Balance>().unwrap();
    world.start_with(0, runner);
    world.load(6_000).await;
    // Of this one all is done, and it is closed; the new projection reads it all the same.
    world.feed.split(0);
    world.until("balances are there", async |world| balances_are_exact(world).await).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.stop(0).await;
    assert!(live::<Total>(world.rows.inside()).await.is_empty());
    world.start(0);
    let begun = Instant::now();
    world.append("new", vec![deposited(5, "mon")]).await;
    let balances = world.until("a new event", async |world| balances_are_exact(world).await).await;
    assert!(!totals_are_exact(&world).await, "the new projection is still catching up");
    world.until_exact().await;
    assert!(begun.elapsed() > 2 * balances, "{:?} {balances:?}", begun.elapsed());
    world.until_shared(&[5]).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_projection_stands_still_and_goes_on_where_it_was() {
    let mut world = World::new(3, 1, 0, 2);
    world.start(0);
    world.load(100).await;
    world.until_exact().await;
    world.control(0).pause("totals").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.load(100).await;
    world.until("balances go on", async |world| balances_are_exact(world).await).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!totals_are_exact(&world).await);
    let status = world.control(0).status();
    assert!(status.paused.contains("totals") && status.partitions.values().all(|partition| partition.late));
    world.control(0).resume("totals").unwrap();
    world.until_exact().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(world.control(0).status().partitions.values().all(|partition| !partition.late));
    assert!(world.control(0).pause("total").unwrap_err().to_string().contains("balances, totals"));

    // Nor does a stop and a start lose where a paused projection was, also when its partition has ended meanwhile.
    world.control(0).pause("totals").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.load(100).await;
    world.feed.split(0);
    world.load(100).await;
    world.until("balances go on", async |world| balances_are_exact(world).await).await;
    world.stop(0).await;
    world.start(0);
    world.until_exact().await;
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_the_feed_has_lost_is_named_and_counted_and_the_group_goes_on() {
    let mut world = World::new(2, 1, 0, 3);
    world.start(0);
    world.load(200).await;
    world.until_exact().await;
    world.stop(0).await;
    // More comes and is gone before anybody reads it.
    world.load(200).await;
    world.append("quiet", vec![deposited(7, "mon")]).await;
    world.feed.expire();
    world.ledger.slow_down(Duration::from_millis(200), 20);
    world.start(0);
    let catching_up = async |world: &World| world.control(0).status().catching_up;
    world.until("the loss is named", async |world| catching_up(world).await.is_some()).await;
    world.until_exact().await;
    world.until("the ledger is read", async |world| catching_up(world).await.is_none()).await;
    let losses: u64 = world.control(0).status().partitions.values().map(|partition| partition.losses).sum();
    assert_eq!(losses, 2, "each partition has lost its checkpoint once");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(states(&world, 0), [PartitionState::CaughtUp, PartitionState::CaughtUp]);
    world.stop(0).await;
    world.start(0);
    world.until_shared(&[2]).await;
    let losses = world.control(0).status().partitions.values().map(|partition| partition.losses).sum::<u64>();
    assert_eq!(losses, 2, "and it stays known");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_does_not_answer_is_never_shown_as_caught_up() {
    let mut world = World::new(2, 1, 0, 4);
    world.start(0);
    world.load(50).await;
    world.until_exact().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(states(&world, 0), [PartitionState::CaughtUp, PartitionState::CaughtUp]);
    let behind = |world: &World| {
        let partitions = world.control(0).status().partitions;
        partitions.into_values().map(|partition| partition.behind.unwrap()).min().unwrap()
    };
    assert!(behind(&world) <= Duration::from_millis(1_100));
    world.feed.silence(true);
    world.load(50).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    let unreadable = |state: &PartitionState| matches!(state, PartitionState::Unreadable { .. });
    assert!(states(&world, 0).iter().all(unreadable), "{:?}", states(&world, 0));
    assert!(behind(&world) > Duration::from_secs(90), "{:?}", behind(&world));
    world.feed.silence(false);
    world.until_exact().await;
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_projection_says_what_it_does_and_how_far_it_is_behind() {
    let mut world = World::new(2, 2, 0, 9);
    world.start(0);
    let status = async |world: &World| {
        let mut all = world.control(0).projections().await.unwrap();
        let (totals, balances) = (all.pop().unwrap(), all.pop().unwrap());
        assert_eq!((balances.name, totals.name), ("balances", "totals"));
        (balances, totals)
    };
    world.until_shared(&[0, 2]).await;
    world.load(200).await;
    world.until_exact().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (balances, _) = status(&world).await;
    assert_eq!((balances.state, balances.generation, balances.version), (ProjectionState::Live, 1, 1));
    assert_eq!(
        (balances.lag.seconds, balances.lag.records, balances.lag.counted),
        (Some(0.0), Some(0), true)
    );
    let events = world.plain.values().map(Vec::len).sum::<usize>() as u64;
    assert_eq!(balances.applied, events, "each event once");
    assert!(
        balances.events_per_second > 0.0 && balances.last_progress_seconds.is_some_and(|last| last > 2.0)
    );
    assert_eq!(balances.partitions.len(), 2);
    assert!(balances.partitions.iter().all(|place| place.here && place.owner.is_some()));
    assert!(balances.partitions.iter().all(|place| place.checkpoint.is_some()));

    // One that is paused has more to read, and the other has not.
    world.control(0).pause("totals").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.append("odd", vec![AccountEvent::Poison {}]).await;
    world.load(50).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (balances, totals) = status(&world).await;
    assert_eq!((balances.state, totals.state), (ProjectionState::Live, ProjectionState::Paused));
    assert_eq!((balances.parked.streams, balances.parked.complete), (1, true));
    assert_eq!(totals.lag.records, None, "what was seen of the head is old");
    assert!(totals.lag.seconds.is_some_and(|seconds| seconds > 4.0), "{:?}", totals.lag);
    world.control(0).resume("totals").unwrap();

    // A feed that does not answer is not level, whatever was seen before.
    world.feed.silence(true);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (balances, _) = status(&world).await;
    assert_eq!((balances.state, balances.lag.records), (ProjectionState::Unreadable, None));
    assert!(balances.lag.seconds.is_some_and(|seconds| seconds > 50.0), "{:?}", balances.lag);
    assert!(balances.partitions.iter().all(|place| place.head_seen_seconds.is_some_and(|seen| seen > 50.0)));
    world.feed.silence(false);

    // What another worker reads is told by its name.
    world.start(1);
    world.until_shared(&[1, 1]).await;
    let (balances, _) = status(&world).await;
    let owners: std::collections::BTreeSet<_> = balances.partitions.iter().map(|p| p.owner.clone()).collect();
    assert_eq!((owners.len(), balances.partitions.iter().filter(|place| place.here).count()), (2, 1));
    let json = serde_json::to_value(&balances).unwrap();
    assert_eq!((&json["name"], &json["parked"]["streams"]), (&"balances".into(), &1.into()));
}

#[tokio::test(start_paused = true)]
async fn what_came_and_went_before_a_partition_had_a_checkpoint_is_read_from_the_ledger() {
    let mut world = World::new(3, 1, 0, 5);
    world.start(0);
    world.until_shared(&[3]).await;
    // Nothing was ever read, so there is no position that the feed could miss later.
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.stop(0).await;
    world.load(60).await;
    world.feed.expire();
    world.start(0);
    world.until_exact().await;
}
