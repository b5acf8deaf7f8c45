//! When files are written, and how much memory is held until then.

use std::time::Duration;

use headwater_archive::Rotation;
use headwater_archive::limits::OPEN_AT_MOST;
use headwater_archive::objects::Mishap;

use crate::world::{World, event, small};

/// Nothing is due.
fn never() -> Rotation {
    let mut rotation = Rotation::default();
    rotation.age = Duration::from_secs(3_000);
    rotation
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_when_it_has_enough_events() {
    let mut rotation = never();
    rotation.events = 10;
    let mut world = World::new(1, rotation);
    world.load(100).await;
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let files: Vec<_> = world.files().await.into_values().flatten().collect();
    assert!(files.len() > 10 && files.iter().all(|file| (10..13).contains(&file.events)), "{files:?}");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_when_its_first_commit_has_waited_long_enough() {
    let mut rotation = never();
    rotation.age = Duration::from_secs(60);
    let mut world = World::new(1, rotation);
    world.load(5).await;
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(55)).await;
    assert!(world.files().await.is_empty());
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.until_whole("five commits in one file").await;
    assert_eq!(world.files().await.into_values().flatten().count(), 1);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_when_it_holds_enough_bytes() {
    let mut rotation = never();
    rotation.bytes = 50_000;
    let mut world = World::new(1, rotation);
    for number in 0..100 {
        let text = format!("\"{}\"", "x".repeat(4_000));
        let commit = world.append(&number.to_string(), vec![event("Noted", text)]).await;
        world.feed.publish(&commit);
    }
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let files: Vec<_> = world.files().await.into_values().flatten().collect();
    assert!(files.len() >= 8 && files.iter().all(|file| (9..=13).contains(&file.commits)), "{files:?}");
    worker.stop().await;
}

/// Many partitions, each of which may hold a lot: together they hold what they may, and write early for it.
#[tokio::test(start_paused = true)]
async fn all_open_files_together_hold_no_more_than_they_may() {
    let mut rotation = never();
    rotation.held_bytes = 100_000;
    let mut world = World::new(8, rotation);
    let worker = world.start();
    let mut published = 0;
    for number in 0..400 {
        let text = format!("\"{}\"", "x".repeat(2_000));
        let commit = world.append(&number.to_string(), vec![event("Noted", text)]).await;
        world.feed.publish(&commit);
        published += 1;
        if number % 20 == 19 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let archived: u64 = world.files().await.values().flatten().map(|file| file.commits).sum();
            let open = published - archived;
            assert!(open * 2_000 <= 100_000, "{open} commits of 2,000 bytes are held");
        }
    }
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_has_commits_of_one_day_and_late_ones_of_earlier_days() {
    let mut world = World::new(1, never());
    let at = ["2026-08-30T23:59:58Z", "2026-08-31T00:00:01Z", "2026-08-30T23:59:59Z", "2026-09-01T08:00:00Z"];
    for (number, at) in at.iter().enumerate() {
        let commit = world.append(&number.to_string(), vec![event("Noted", "{}")]).await;
        let commit =
            headwater::Commit { recorded_at: at.parse().unwrap(), ..headwater::Commit::clone(&commit) };
        world.feed.publish(&commit.into());
    }
    world.rotation.age = Duration::from_secs(60);
    let worker = world.start();
    world.until_whole("three days").await;
    let files = world.files().await.into_values().flatten();
    let days: Vec<_> =
        files.map(|file| (file.key.split('/').nth(2).unwrap().to_owned(), file.commits)).collect();
    let expected = [("dt=2026-08-30", 1), ("dt=2026-08-31", 2), ("dt=2026-09-01", 1)];
    assert_eq!(days, expected.map(|(day, commits)| (day.to_owned(), commits)));
    worker.stop().await;
}

/// The feed could have forgotten what is in it by the time that the objects can be reached again.
#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_put_for_long_is_made_anew() {
    let mut rotation = small();
    rotation.age = Duration::from_secs(1_000_000);
    rotation.events = 5;
    let mut world = World::new(1, rotation);
    world.load(10).await;
    // The first call lists what there is; the puts behind it fail for more than half an hour.
    world.objects.will([Mishap::None].into_iter().chain([Mishap::Refused; 700]));
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(8_000)).await;
    world.until_whole("in the end").await;
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_age_above_the_limit_is_the_limit() {
    let mut rotation = never();
    rotation.age = Duration::from_secs(1_000_000);
    let mut world = World::new(1, rotation);
    world.load(5).await;
    let worker = world.start();
    tokio::time::sleep(OPEN_AT_MOST).await;
    world.until_whole("five commits").await;
    worker.stop().await;
}
