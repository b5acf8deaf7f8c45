//! What the feed does not have any more is read from the ledger: rows end exact without another event.

use std::time::Duration;

use headwater_projections::group::CatchUp;
use headwater_projections::{LeaseStore, PartitionState};

use super::world::World;
use crate::harness::live;
use crate::model::{Balance, deposited};

async fn item(world: &World) -> CatchUp {
    world.all_leases.list("accounts").await.unwrap().catch_up.unwrap_or_default()
}

async fn until_read(world: &World) {
    let read = async |world: &World| {
        let item = item(world).await;
        item.owner.is_none() && item.done.len() == 2 && item.asked.is_empty() && item.reading.is_empty()
    };
    world.until("the ledger is read", read).await;
}

/// A group that has read everything, and then stopped; what comes after that is in the ledger and not in the feed.
async fn stopped_for_too_long(seed: u64, workers: usize) -> World {
    let mut world = World::new(4, workers, 0, seed);
    world.start(0);
    world.load(200).await;
    world.until_exact().await;
    until_read(&world).await;
    world.stop(0).await;
    for number in 0..300 {
        world.append(&format!("quiet-{number}"), vec![deposited(7, "mon")]).await;
    }
    world.load(300).await;
    world.feed.expire();
    world
}

#[tokio::test(start_paused = true)]
async fn streams_whose_records_have_expired_end_exact_without_another_event() {
    for seed in 0..10 {
        let mut world = stopped_for_too_long(seed, 3).await;
        (0..3).for_each(|slot| world.start(slot));
        world.until_exact().await;
        until_read(&world).await;
        let losses = async |world: &World| {
            let partitions = world.control(0).status().partitions;
            partitions.values().map(|one| one.losses).sum::<u64>() == 4
        };
        world.until("each partition has lost its checkpoint once", losses).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_generation_that_is_new_gets_what_the_feed_does_not_have_any_more() {
    let mut world = World::new(4, 1, 0, 20);
    let runner = world.runner().projection::<Balance>().unwrap();
    world.start_with(0, runner);
    world.load(500).await;
    let read = async |world: &World| item(world).await.done.len() == 1;
    world.until("the first generation has everything", read).await;
    world.stop(0).await;
    world.feed.expire();
    let before = world.ledger.scanned();
    world.start(0);
    world.until_exact().await;
    until_read(&world).await;
    assert_eq!(world.ledger.scanned() - before, 500, "the ledger is read once, for the new one");
    let shown = async |world: &World| world.control(0).status().catching_up.is_none();
    world.until("it is not shown any more", shown).await;
    // A partition in which nothing was read since says nothing about what it has lost when nobody is there.
    world.load(80).await;
    world.until_exact().await;
    world.stop(0).await;
    world.start(0);
    world.load(20).await;
    world.until_exact().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.ledger.scanned() - before, 500, "and never again");
}

#[tokio::test(start_paused = true)]
async fn a_pass_goes_on_where_it_was_when_workers_stop_or_are_killed() {
    for seed in 30..36 {
        let mut world = stopped_for_too_long(seed, 2).await;
        world.ledger.slow_down(Duration::from_secs(1), 5);
        let (before, mut changes) = (world.ledger.scanned(), 0);
        world.start(0);
        for turn in 0_usize.. {
            // Where nothing was read yet, whoever comes has to ask for another pass.
            if turn < 3 {
                world.load(40).await;
            }
            let pause = world.random.millis(14_000);
            tokio::time::sleep(Duration::from_secs(4) + pause).await;
            let open = item(&world).await;
            if open.asked.is_empty() && open.reading.is_empty() {
                break;
            }
            changes += 1;
            let (leaves, comes) = (turn % 2, (turn + 1) % 2);
            if world.random.one_in(2) {
                world.stop(leaves).await
            } else {
                world.kill(leaves).await
            }
            world.start(comes);
        }
        world.until_exact().await;
        assert!(changes >= 3, "the pass was not interrupted: {changes}");
        // A kill costs at most what was read since the last save; each partition may ask while a pass is under way.
        let passes = (world.ledger.scanned() - before) as f64 / 920.0;
        assert!(passes < 3.5, "seed {seed}: the ledger was read {passes} times over {changes} changes");
    }
}

#[tokio::test(start_paused = true)]
async fn live_events_do_not_wait_for_the_ledger_to_be_read() {
    let mut world = stopped_for_too_long(40, 1).await;
    world.ledger.slow_down(Duration::from_secs(2), 10);
    world.start(0);
    world.until("the pass is under way", async |world| !item(world).await.reading.is_empty()).await;
    for number in 0..20 {
        let id = format!("new-{number}");
        world.append(&id, vec![deposited(5, "tue")]).await;
        let there =
            async |world: &World| live::<Balance>(world.rows.inside()).await.contains_key(id.as_str());
        let took = world.until("a live event", there).await;
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let status = world.control(0).status().catching_up.expect("the pass is still under way");
    assert!(status.segments.0 < status.segments.1 && status.commits > 0, "{status:?}");
    world.until_exact().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_projection_leaves_the_pass_and_has_one_of_its_own_later() {
    let mut world = stopped_for_too_long(50, 1).await;
    world.ledger.slow_down(Duration::from_millis(200), 10);
    world.start(0);
    world.until("the pass is under way", async |world| !item(world).await.reading.is_empty()).await;
    world.control(0).pause("totals").unwrap();
    let waits = async |world: &World| {
        let item = item(world).await;
        item.done.len() == 2 && item.reading.is_empty() && item.asked.len() == 1
    };
    world.until("the other has read the ledger", waits).await;
    assert!(live::<Balance>(world.rows.inside()).await.contains_key("quiet-299"));
    assert!(!world.is_exact().await, "totals are paused");
    world.control(0).resume("totals").unwrap();
    world.until_exact().await;
    until_read(&world).await;
}

#[tokio::test(start_paused = true)]
async fn partitions_that_came_and_went_unread_are_made_good() {
    let mut world = World::new(2, 1, 0, 60);
    world.start(0);
    world.load(100).await;
    world.until_exact().await;
    until_read(&world).await;
    // The last of it is read and its lease has ended; its children come, are split again, and expire.
    world.feed.split(0);
    let ended = async |world: &World| {
        let partitions = world.control(0).status().partitions;
        partitions.values().any(|one| one.state == PartitionState::Ended)
    };
    world.until("the parent has ended", ended).await;
    world.stop(0).await;
    // Leases of the children that were made meanwhile are taken away: nobody has ever seen these partitions.
    for (id, lease) in world.all_leases.list("accounts").await.unwrap().leases {
        if !lease.parents.is_empty() {
            let key = headwater_projections::group::ItemKey::Lease(id);
            let _ = world.all_leases.delete("accounts", &key, lease.counter).await.unwrap();
        }
    }
    world.load(300).await;
    for number in 0..3 {
        world.feed.split(number);
    }
    world.feed.expire();
    world.start(0);
    world.until_exact().await;
}

/// Retention passes over the feed again and again, while workers come and go and every store is shaky. No later event
/// brings in what was lost.
#[tokio::test(start_paused = true)]
async fn rows_are_exact_whatever_expires_and_whoever_dies() {
    for seed in 500..512 {
        let mut world = World::new(6, 3, 20, seed);
        world.ledger.slow_down(Duration::from_millis(300), 20);
        (0..3).for_each(|slot| world.start(slot));
        for _ in 0..40 {
            let (commits, slot, number) =
                (world.random.below(30), world.random.below(3), world.random.below(20));
            world.load(commits).await;
            let pause = world.random.millis(2_000);
            tokio::time::sleep(pause).await;
            match world.random.below(10) {
                0..=2 => world.kill(slot).await,
                3 => world.stop(slot).await,
                4..=6 => world.feed.expire(),
                7 => world.feed.split(number),
                _ if world.workers[slot].is_none() => world.start(slot),
                _ => {}
            }
        }
        (0..3)
            .filter(|slot| world.workers[*slot].is_none())
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|slot| world.start(slot));
        world.until_exact().await;
        until_read(&world).await;
        for slot in 0..3 {
            world.stop(slot).await;
        }
        assert!(world.is_exact().await, "and nothing changes them any more");
    }
}
