//! Everything goes wrong at once; rows equal a plain fold of the ledger in the end.

use std::time::Duration;

use super::world::World;

/// Workers come and go, are killed in the middle of anything, and cannot reach the leases for a while; partitions split
/// and merge; one of twenty records is lost, one repeated, one late, and one of twenty calls fails or loses its answer.
///
/// When the feed loses nothing, no later event brings in what a checkpoint has passed too early.
async fn storm(seed: u64, feed_loses: bool) {
    let mut world = World::new(8, 3, 20, seed);
    world.feed.misbehave(if feed_loses { 20 } else { 0 }, 20, seed + 2);
    (0..3).for_each(|slot| world.start(slot));
    let (mut splits, mut merges) = (0, 0);
    for _ in 0..40 {
        let commits = world.random.below(30);
        world.load(commits).await;
        let pause = world.random.millis(3_000);
        tokio::time::sleep(pause).await;
        let slot = world.random.below(3);
        let number = world.random.below(20);
        match world.random.below(10) {
            0..=2 => world.kill(slot).await,
            3 => world.stop(slot).await,
            4 | 5 => {
                let Some(running) = &world.workers[slot] else { continue };
                let late = world.random.one_in(2);
                running.leases.be_late(late);
            }
            6 if splits < 3 => {
                world.feed.split(number);
                splits += 1;
            }
            7 if merges < 3 => {
                world.feed.merge(number, number + 1);
                merges += 1;
            }
            _ if world.workers[slot].is_none() => world.start(slot),
            _ => {}
        }
    }
    for slot in 0..3 {
        if let Some(running) = &world.workers[slot] {
            running.leases.be_late(false);
        } else {
            world.start(slot);
        }
    }
    if feed_loses {
        world.hint().await;
    }
    world.until_exact().await;
    for slot in 0..3 {
        world.stop(slot).await;
    }
    assert!(world.is_exact().await, "and nothing changes them any more");
}

#[tokio::test(start_paused = true)]
async fn rows_are_exact_whatever_happens_to_workers_feed_and_leases() {
    for seed in 0..12 {
        storm(seed, true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_checkpoint_passes_work_that_is_not_done() {
    for seed in 400..412 {
        storm(seed, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_is_dropped_at_any_moment_leaves_rows_that_another_completes() {
    for seed in 100..160 {
        let mut world = World::new(3, 2, 0, seed);
        world.load(40).await;
        world.start(0);
        let pause = world.random.millis(400);
        tokio::time::sleep(pause).await;
        world.kill(0).await;
        world.start(1);
        world.load(5).await;
        world.until_exact().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_leases_went_to_another_stops_and_saves_nothing() {
    for seed in 200..206 {
        let mut world = World::new(4, 2, 0, seed);
        world.start(0);
        world.until_shared(&[0, 4]).await;
        world.load(100).await;
        // Every call of the first is late from now on: it cannot renew, and goes on reading until it has to stop.
        world.workers[0].as_ref().unwrap().leases.be_late(true);
        world.start(1);
        let pause = world.random.millis(9_000);
        tokio::time::sleep(pause).await;
        world.load(100).await;
        world.until("the second has all", async |world| world.reading(1).len() == 4).await;
        world.load(100).await;
        world.until("the first has stopped", async |world| world.reading(0).is_empty()).await;
        world.until_exact().await;
        // Its late calls arrive. None of them may take anything back: the way to the store looks at each write.
        world.workers[0].as_ref().unwrap().leases.be_late(false);
        world.until_shared(&[2, 2]).await;
        world.load(100).await;
        world.until_exact().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_lease_store_is_survived_without_a_run_for_each_others_leases() {
    let mut world = World::new(6, 2, 0, 300);
    (0..2).for_each(|slot| world.start(slot));
    world.until_shared(&[3, 3]).await;
    let mut before = [world.reading(0), world.reading(1)];
    for slot in 0..2 {
        world.workers[slot].as_ref().unwrap().leases.be_late(true);
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        [world.reading(0), world.reading(1)],
        [Vec::new(), Vec::new()],
        "nobody may believe it owns anything"
    );
    for slot in 0..2 {
        world.workers[slot].as_ref().unwrap().leases.be_late(false);
    }
    world.load(100).await;
    world.until_shared(&[3, 3]).await;
    world.until_exact().await;
    let mut after = [world.reading(0), world.reading(1)];
    before.sort();
    after.sort();
    assert_eq!(before, after, "each has what it had");
}
