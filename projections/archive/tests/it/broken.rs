//! Files that are missing, cut short or changed: named, and never a shorter answer.

use std::ops::ControlFlow;
use std::sync::Arc;

use headwater::EventStore;
use headwater_archive::objects::{Object, Objects};
use headwater_archive::{ArchiveError, ArchiveFile, ArchiveHistory, Columns, Link, RestoreError, restore};
use headwater_projections::LeaseStore;
use headwater_projections::backfill::History;
use headwater_store_memory::MemoryStore;

use crate::world::{World, small};

async fn world() -> (World, Vec<ArchiveFile>) {
    let mut world = World::new(1, small());
    world.load(40).await;
    let worker = world.start();
    world.until_whole("to be broken").await;
    worker.stop().await;
    let files: Vec<_> = world.files().await.into_values().flatten().collect();
    assert!(files.len() > 4);
    (world, files)
}

/// What reading a file says, and how many events it handed out before.
async fn read(world: &World, file: &ArchiveFile) -> (String, usize) {
    let mut events = 0;
    let mut visit = |_: headwater_archive::ArchivedEvent<'_>| {
        events += 1;
        ControlFlow::Continue(())
    };
    let error = world.archive.read(file, Columns::History, &mut visit).await.unwrap_err();
    let ArchiveError::Broken(broken) = &error else { panic!("{error}") };
    assert_eq!((&broken.key, broken.partition.as_ref()), (&file.key, Some(&file.partition)));
    (error.to_string(), events)
}

/// A restore out of this archive writes nothing.
async fn restore_refuses(world: &World) -> RestoreError {
    let ledger: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let error = restore(&world.archive, &ledger, false, &mut |_| {}).await.unwrap_err();
    let page = ledger.scan(headwater::store::Scan::all()).await.unwrap();
    assert!(page.commits.is_empty(), "{error}");
    error
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_missing_is_named_by_the_one_behind_it() {
    let (world, files) = world().await;
    for missing in [0, 2] {
        let object = world.objects.sound().get(&files[missing].key).await.unwrap();
        world.objects.delete(&files[missing].key);
        let links = world.archive.files().await.unwrap().links;
        let behind = &files[missing + 1];
        assert!(matches!(&links[..], [Link::Missing { key, .. }] if *key == behind.key), "{links:?}");
        assert_eq!(links[0].partition(), Some(&behind.partition));
        let (said, events) = read(&world, &files[missing]).await;
        assert!(said.contains("it is gone") && events == 0, "{said}");
        assert!(restore_refuses(&world).await.to_string().contains(&behind.key));
        world.objects.overwrite(&files[missing].key, object);
    }
    world.files().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_cut_short_or_changed_is_named_before_any_event_of_it_is_seen() {
    let (world, files) = world().await;
    let file = &files[1];
    let whole = world.objects.sound().get(&file.key).await.unwrap();
    for at in [0, 10, whole.body.len() / 2, whole.body.len() - 1] {
        let body = whole.body.slice(..at);
        world.objects.overwrite(&file.key, Object { body, words: whole.words.clone() });
        let (said, events) = read(&world, file).await;
        assert!(said.contains("cut short") && events == 0, "{said}");

        let mut body = whole.body.to_vec();
        body[at] ^= 0x10;
        world.objects.overwrite(&file.key, Object { body: body.into(), words: whole.words.clone() });
        let (said, events) = read(&world, file).await;
        assert!(said.contains("changed") && events == 0, "{said}");
    }
}

/// The content of another file, with all that is said about it but for the number of events.
#[tokio::test(start_paused = true)]
async fn a_file_with_fewer_events_than_were_written_is_named() {
    let (world, files) = world().await;
    let mut object = world.objects.sound().get(&files[1].key).await.unwrap();
    object.words.insert("events".to_owned(), (files[1].events + 1).to_string());
    world.objects.overwrite(&files[1].key, object);
    let file = world.files().await.into_values().flatten().nth(1).unwrap();
    assert!(read(&world, &file).await.0.contains("were written"));
}

#[tokio::test(start_paused = true)]
async fn a_file_of_which_nothing_sound_is_said_is_named_and_nothing_is_restored() {
    let (world, files) = world().await;
    for (word, value) in [("format", "9"), ("last", "x"), ("sha256", "")] {
        let object = world.objects.sound().get(&files[1].key).await.unwrap();
        let mut changed = object.clone();
        match value {
            "" => drop(changed.words.remove(word)),
            value => drop(changed.words.insert(word.to_owned(), value.to_owned())),
        }
        world.objects.overwrite(&files[1].key, changed);
        let links = world.archive.files().await.unwrap().links;
        assert!(
            links.iter().any(|link| matches!(link, Link::Broken(_)) && link.key() == files[1].key),
            "{links:?}"
        );
        assert!(matches!(restore_refuses(&world).await, RestoreError::Chain { .. }));
        world.objects.overwrite(&files[1].key, object);
    }
}

/// A corrupt file is met in the middle of a restore: it is named, and after it was mended the restore goes on.
#[tokio::test(start_paused = true)]
async fn a_restore_that_meets_a_corrupt_file_goes_on_when_it_is_mended() {
    let (world, files) = world().await;
    let whole = world.objects.sound().get(&files[3].key).await.unwrap();
    world.objects.overwrite(&files[3].key, Object { body: "corrupt".into(), words: whole.words.clone() });
    let ledger: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let error = restore(&world.archive, &ledger, false, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains(&files[3].key), "{error}");
    world.objects.overwrite(&files[3].key, whole);
    let refused = restore(&world.archive, &ledger, false, &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty { .. }), "{refused}");
    let restored = restore(&world.archive, &ledger, true, &mut |_| {}).await.unwrap();
    assert!(restored.before > 0 && restored.commits > 0 && restored.before + restored.commits == 40);
}

#[tokio::test(start_paused = true)]
async fn files_that_are_gone_at_the_end_of_a_chain_are_named_by_the_checkpoint_of_its_writer() {
    let (world, files) = world().await;
    let leases = Arc::clone(&world.leases) as Arc<dyn LeaseStore>;
    let history = ArchiveHistory::new(world.archive.clone(), leases);
    let damage = async || {
        let damage = history.survey().await.unwrap().damage;
        damage.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(damage().await, Vec::<String>::new(), "what is whole is not damaged");
    world.objects.delete(&files.last().unwrap().key);
    let said = damage().await;
    assert!(said.len() == 1 && said[0].contains("files behind the last one are gone"), "{said:?}");
    files.iter().for_each(|file| world.objects.delete(&file.key));
    let said = damage().await;
    assert!(said.len() == 1 && said[0].contains("all its files are gone"), "{said:?}");
    assert!(!world.archive.any().await.unwrap());
}
