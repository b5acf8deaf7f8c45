//! Puts that fail, lose their answers, or find something in the way.

use std::time::Duration;

use headwater_archive::objects::{Mishap, Object, Objects, Words};

use crate::world::{World, small};

async fn puts_after(mishaps: &[Mishap]) -> usize {
    let mut world = World::new(1, small());
    world.load(4).await;
    // The first call lists what there is.
    world.objects.will([Mishap::None].into_iter().chain(mishaps.iter().copied()));
    let worker = world.start();
    world.until_whole(&format!("{mishaps:?}")).await;
    worker.stop().await;
    world.objects.calls().iter().filter(|(name, _)| *name == "put").count()
}

#[tokio::test(start_paused = true)]
async fn a_put_that_fails_is_tried_until_it_succeeds() {
    assert_eq!(puts_after(&[]).await, 1);
    assert_eq!(puts_after(&[Mishap::Refused; 4]).await, 5);
}

/// The second try is refused, because the first one has put the file: that is success, and nothing is put twice.
#[tokio::test(start_paused = true)]
async fn a_put_whose_answer_was_lost_is_recognised_by_what_is_said_about_the_file() {
    assert_eq!(puts_after(&[Mishap::LostAnswer]).await, 2);
    assert_eq!(puts_after(&[Mishap::LostAnswer, Mishap::LostAnswer, Mishap::Refused]).await, 4);
}

/// Nothing that is there is ever overwritten, and nothing passed over: the partition waits until somebody looks.
#[tokio::test(start_paused = true)]
async fn an_object_that_is_no_file_is_left_alone_and_the_partition_waits_for_it() {
    let mut world = World::new(1, small());
    world.load(4).await;
    let worker = world.start();
    world.until_whole("to learn the key").await;
    worker.kill().await;
    let key = world.files().await.into_values().flatten().next().unwrap().key;
    let other = Object { body: "something else".into(), words: Words::new() };
    world.objects.overwrite(&key, other.clone());
    world.leases = std::sync::Arc::default();
    world.load(50).await;
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.objects.sound().get(&key).await.unwrap().body, other.body);
    assert_eq!(world.archive.files().await.unwrap().chains.len(), 0, "nothing goes on behind it");
    world.objects.delete(&key);
    world.until_whole("after it was taken away").await;
    worker.stop().await;
}
