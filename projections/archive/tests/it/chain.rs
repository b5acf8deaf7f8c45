//! L10: one chain of files for each partition, without gap and without overlap, whatever dies and whoever is at work.

use std::sync::Arc;
use std::time::Duration;

use headwater_projections::group::MemoryLeases;

use crate::world::{World, small};

#[tokio::test(start_paused = true)]
async fn every_commit_is_in_one_file_in_the_order_of_its_partition() {
    let mut world = World::new(3, small());
    world.load(100).await;
    let worker = world.start();
    world.until_whole("a hundred commits").await;
    world.load(50).await;
    world.until_whole("fifty more").await;
    worker.stop().await;
    let files = world.files().await;
    assert!(files.values().all(|chain| chain.len() > 2), "{files:?}");
    let commits: u64 = files.values().flatten().map(|file| file.commits).sum();
    assert_eq!(commits, 150);
}

#[tokio::test(start_paused = true)]
async fn commits_that_the_feed_repeats_are_archived_as_it_handed_them_out() {
    let mut world = World::new(1, small());
    world.load(3).await;
    let commit = world.append("7", vec![crate::world::event("Noted", "{}")]).await;
    world.feed.publish(&commit);
    world.feed.publish_as(&commit, true);
    let worker = world.start();
    world.until_whole("the repeat is in it").await;
    worker.stop().await;
    let archived = world.archived().await.into_values().flatten();
    let repeats: Vec<_> = archived.filter(|(_, id, ..)| *id == commit.id.to_string()).collect();
    assert_eq!(repeats.iter().map(|seen| seen.4).collect::<Vec<_>>(), [false, true]);
}

/// A worker is killed at each call to the objects in turn, before and after it is carried out; the next one goes on.
#[tokio::test(start_paused = true)]
async fn wherever_a_worker_is_killed_the_chain_has_every_commit_once() {
    for carried_out in [false, true] {
        for call in 0.. {
            let mut world = World::new(2, small());
            world.load(40).await;
            let worker = world.start();
            world.objects.hang_after(call, carried_out);
            let killed = tokio::select! {
                () = world.objects.hanging() => true,
                () = tokio::time::sleep(Duration::from_secs(60)) => false,
            };
            worker.kill().await;
            if !killed {
                assert!(call > 8, "there are only {call} calls");
                break;
            }
            let next = world.start();
            world.until_whole(&format!("killed at call {call}, carried out: {carried_out}")).await;
            next.stop().await;
        }
    }
}

/// Each has leases of its own, so both own everything from beginning to end.
#[tokio::test(start_paused = true)]
async fn two_owners_that_both_believe_to_be_alone_agree_on_one_chain() {
    for round in 0..20 {
        let mut world = World::new(2, small());
        world.objects.storm(6, 900);
        world.load(30).await;
        let one = world.start_with(Arc::new(MemoryLeases::new()));
        tokio::time::sleep(Duration::from_millis(round * 137)).await;
        let two = world.start_with(Arc::new(MemoryLeases::new()));
        for _ in 0..5 {
            world.load(20).await;
            tokio::time::sleep(Duration::from_millis(round * 91 + 500)).await;
        }
        world.until_whole(&format!("round {round}")).await;
        one.kill().await;
        two.kill().await;
    }
}

/// They cut their files at different places, so whoever is second finds another file than its own.
#[tokio::test(start_paused = true)]
async fn who_lost_the_race_for_a_file_goes_on_behind_the_one_that_is_there() {
    let mut world = World::new(2, small());
    let mut owners = Vec::new();
    for events in [3, 10] {
        world.rotation.events = events;
        owners.push(world.start_with(Arc::new(MemoryLeases::new())));
    }
    for _ in 0..10 {
        world.load(15).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    world.until_whole("different files").await;
    for owner in owners {
        owner.kill().await;
    }
}

#[tokio::test(start_paused = true)]
async fn workers_that_are_killed_over_partitions_that_split_and_merge_leave_whole_chains() {
    for round in 0..10 {
        let mut world = World::new(4, small());
        world.objects.storm(8, 200);
        let mut workers = vec![world.start(), world.start(), world.start()];
        for step in 0..8 {
            world.load(25).await;
            match step % 4 {
                1 => world.feed.split(fastrand::usize(..8)),
                3 => world.feed.merge(fastrand::usize(..8), fastrand::usize(..8)),
                _ => {
                    let worker = workers.swap_remove(fastrand::usize(..workers.len()));
                    worker.kill().await;
                    workers.push(world.start());
                }
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(..4_000))).await;
        }
        world.until_whole(&format!("round {round}")).await;
        for worker in workers {
            worker.stop().await;
        }
        let files = world.files().await;
        let children = files.values().filter(|chain| !chain[0].parents.is_empty());
        assert!(children.count() > 0, "a file says which partitions come before its own");
    }
}

/// The table of the leases may be lost or renamed: the archive itself says where a chain ends.
#[tokio::test(start_paused = true)]
async fn leases_that_are_gone_do_not_begin_a_second_chain() {
    let mut world = World::new(2, small());
    world.load(50).await;
    let worker = world.start();
    world.until_whole("with leases").await;
    worker.stop().await;
    world.leases = Arc::new(MemoryLeases::new());
    world.load(50).await;
    let worker = world.start();
    world.until_whole("with new ones").await;
    worker.stop().await;
}

/// L7: what is not in a file is read again.
#[tokio::test(start_paused = true)]
async fn a_stop_leaves_the_open_file_to_the_next_owner() {
    let mut rotation = small();
    rotation.age = Duration::from_secs(3_000);
    rotation.events = 1_000;
    let mut world = World::new(1, rotation);
    world.load(20).await;
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(100)).await;
    worker.stop().await;
    assert!(world.files().await.is_empty(), "nothing was due");
    world.rotation = small();
    let worker = world.start();
    world.until_whole("by the next").await;
    worker.stop().await;
}
