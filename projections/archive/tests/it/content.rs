//! What goes into a file comes out of it, byte for byte.

use std::ops::ControlFlow;

use bytes::Bytes;
use headwater_archive::{ArchivedEvent, Columns};

use crate::world::{World, event, small};

/// Payloads that are no JSON, no text, empty, or long.
fn payloads() -> Vec<Bytes> {
    let mut payloads: Vec<Bytes> =
        ["{}", "", "null", "\"\u{1F980} 𝕏\"", "not json"].into_iter().map(Bytes::from).collect();
    payloads.push(Bytes::from(vec![0xff, 0x00, 0xfe]));
    payloads.push(Bytes::from(vec![b'x'; 300_000]));
    payloads
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_event_reads_back_as_it_was() {
    let mut world = World::new(1, small());
    let mut commits = Vec::new();
    for (number, payload) in payloads().into_iter().enumerate() {
        let mut data = event("Noted", payload.clone());
        data.schema = u32::MAX - 1;
        let second = event("Was \"quoted\"", "[1, 2 ,3]");
        let commit = world.append(&format!("id {number} \u{e9}"), vec![data, second]).await;
        world.feed.publish(&commit);
        commits.push(commit);
    }
    let worker = world.start();
    world.until_whole("all of them").await;
    worker.stop().await;
    let mut expected = commits.iter().flat_map(|commit| commit.recorded());
    for file in world.files().await.into_values().flatten() {
        for columns in [Columns::History, Columns::All] {
            let mut check = |found: ArchivedEvent<'_>| {
                let commit = found.commit;
                let known = commits.iter().find(|known| known.id == commit).unwrap();
                let event = known.recorded().nth(found.index as usize).unwrap();
                assert_eq!((found.category, found.id), (known.stream.category(), known.stream.id()));
                assert_eq!((found.version, found.recorded_at), (event.version(), known.recorded_at));
                assert_eq!((found.name, found.schema), (&*event.data.name, event.data.schema));
                assert_eq!(found.payload, &event.data.payload[..]);
                match known.metadata.is_empty() {
                    true => assert_eq!(found.metadata, b""),
                    false => assert_eq!(found.metadata, serde_json::to_vec(&known.metadata).unwrap()),
                }
                if let Some(rest) = found.rest {
                    let command = known.command.as_ref();
                    let command = command.map(|command| (command.key.as_str(), command.fingerprint.0));
                    assert_eq!((rest.command, rest.commit_events as usize), (command, known.events.len()));
                    assert_eq!(
                        expected.next().unwrap().id().to_string(),
                        format!("{commit}.{}", found.index)
                    );
                }
                ControlFlow::Continue(())
            };
            world.archive.read(&file, columns, &mut check).await.unwrap();
        }
    }
    assert!(expected.next().is_none());
}

#[tokio::test(start_paused = true)]
async fn reading_ends_where_the_reader_breaks_off() {
    let mut world = World::new(1, small());
    world.load(5).await;
    let worker = world.start();
    world.until_whole("five").await;
    worker.stop().await;
    let file = world.files().await.into_values().flatten().next().unwrap();
    let mut seen = 0;
    let mut visit = |_: ArchivedEvent<'_>| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    world.archive.read(&file, Columns::History, &mut visit).await.unwrap();
    assert_eq!(seen, 3);
}
