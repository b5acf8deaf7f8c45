//! The feed forgets records before they are archived: that is named, and nothing is archived twice.

use std::time::Duration;

use headwater_archive::Link;

use crate::world::{World, small};

#[tokio::test(start_paused = true)]
async fn what_the_feed_has_lost_is_named_by_the_file_behind_it() {
    let mut world = World::new(1, small());
    world.load(20).await;
    let worker = world.start();
    world.until_whole("before").await;
    worker.stop().await;
    let before: Vec<_> = world.files().await.into_values().flatten().collect();
    world.load(10).await;
    world.feed.expire();
    world.load(20).await;
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(60)).await;
    worker.stop().await;
    let files = world.archive.files().await.unwrap();
    let after: Vec<_> = files.chains.into_values().flatten().collect();
    let behind = &after[before.len()];
    assert_eq!(after[..before.len()], before, "files never change");
    assert!(behind.lost && behind.after == before.last().map(|last| last.last.clone()), "{behind:?}");
    assert!(matches!(&files.links[..], [Link::Lost { key, .. }] if *key == behind.key), "{:?}", files.links);
    assert!(!after.last().unwrap().lost && after.len() > before.len() + 1);
    let commits: u64 = after.iter().map(|file| file.commits).sum();
    assert_eq!(commits, 40, "the ten that were lost are missing, and no others");
}

/// The leases are old, and the feed has forgotten what they say; the archive itself is further.
#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_is_behind_the_archive_is_no_loss() {
    let mut world = World::new(1, small());
    world.load(30).await;
    let worker = world.start();
    world.until_whole("before").await;
    worker.stop().await;
    let old = world.leases.clone();
    world.leases = std::sync::Arc::default();
    world.load(30).await;
    let worker = world.start();
    world.until_whole("by somebody else").await;
    worker.stop().await;
    world.feed.expire();
    world.load(5).await;
    world.leases = old;
    let worker = world.start();
    world.until_whole("and by the first again").await;
    worker.stop().await;
}
