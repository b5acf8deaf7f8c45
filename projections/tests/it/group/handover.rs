//! Who reads what: shares, takeover after a kill, hand-over in good order, resharding.

use std::time::Duration;

use super::world::World;

#[tokio::test(start_paused = true)]
async fn a_killed_worker_is_taken_over_within_eight_seconds() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        let mut world = World::new(8, 3, 0, seed);
        (0..3).for_each(|slot| world.start(slot));
        world.until_shared(&[2, 3, 3]).await;
        world.load(50).await;
        let pause = world.random.millis(5_000);
        tokio::time::sleep(pause).await;
        world.kill(0).await;
        world.load(50).await;
        let took = world.until_shared(&[0, 4, 4]).await;
        assert!(took <= Duration::from_secs(8), "seed {seed}: it took {took:?}");
        longest = longest.max(took);
        world.until_exact().await;
    }
    println!("longest takeover after a kill: {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_stops_in_good_order_is_followed_within_a_second() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        let mut world = World::new(8, 2, 0, seed);
        (0..2).for_each(|slot| world.start(slot));
        world.until_shared(&[4, 4]).await;
        world.load(50).await;
        let pause = world.random.millis(3_000);
        tokio::time::sleep(pause).await;
        let begun = tokio::time::Instant::now();
        world.stop(0).await;
        world.until_shared(&[0, 8]).await;
        let took = begun.elapsed();
        assert!(took <= Duration::from_secs(1), "seed {seed}: it took {took:?}");
        longest = longest.max(took);
        let reads = world.feed.reads().values().sum::<u64>();
        assert!(reads > 0);
        world.until_exact().await;
    }
    println!("longest hand-over: {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_joins_gets_its_share_and_then_nothing_moves() {
    let mut world = World::new(9, 3, 0, 1);
    world.start(0);
    world.until_shared(&[0, 0, 9]).await;
    for (slot, shares) in [(1, [0, 4, 5]), (2, [3, 3, 3])] {
        world.start(slot);
        world.load(50).await;
        world.until_shared(&shares).await;
    }
    let incarnations = async |world: &World| {
        use headwater_projections::LeaseStore;
        let leases = world.all_leases.list("accounts").await.unwrap().leases;
        leases.into_iter().map(|(id, lease)| (id, lease.incarnation)).collect::<Vec<_>>()
    };
    let before = incarnations(&world).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(incarnations(&world).await, before);
    world.until_exact().await;
}

#[tokio::test(start_paused = true)]
async fn partitions_that_split_and_merge_are_read_on_in_their_children() {
    let mut world = World::new(4, 2, 0, 3);
    (0..2).for_each(|slot| world.start(slot));
    world.until_shared(&[2, 2]).await;
    for round in 0..4 {
        world.load(100).await;
        world.feed.split(round);
        world.load(100).await;
        world.feed.split(round + 1);
        world.feed.merge(round, round + 3);
        world.load(100).await;
    }
    world.until_exact().await;
    world.until_shared(&[4, 4]).await;
    // A partition that was split just now is done, and so is everything before it.
    world.stop(0).await;
    world.stop(1).await;
    world.load(100).await;
    world.feed.split(0);
    world.load(100).await;
    world.start(0);
    world.until_shared(&[0, 9]).await;
    world.until_exact().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_runner_goes_on_from_the_checkpoints() {
    let mut world = World::new(2, 1, 0, 4);
    world.start(0);
    world.load(2_000).await;
    world.until_exact().await;
    world.stop(0).await;
    let before = world.feed.reads().values().sum::<u64>();
    world.start(0);
    world.load(10).await;
    world.until_exact().await;
    let reads = world.feed.reads().values().sum::<u64>() - before;
    assert!(reads < 20, "{reads} reads are more than the last records take");
}

#[tokio::test(start_paused = true)]
async fn an_idle_group_reads_each_partition_once_a_second_however_many_projections() {
    let mut world = World::new(4, 1, 0, 5);
    world.start(0);
    world.until_shared(&[4]).await;
    let before = world.feed.reads();
    tokio::time::sleep(Duration::from_secs(100)).await;
    for (partition, reads) in world.feed.reads() {
        let reads = reads - before[&partition];
        assert!((90..=110).contains(&reads), "{partition} was read {reads} times in 100 seconds");
    }
}
