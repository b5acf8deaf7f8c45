//! Checks of which commits a read is about: ranges within a stream, and streams among each other.

use super::tools::{append, fill, name, put, read_all, same, version, whole};
use super::{Backend, Pages};
use crate::Expected::NoStream;
use crate::store::{Consistency, Direction, EventStoreExt, Read};
use crate::{StreamName, Version};

pub(super) async fn ranges_give_what_they_say(backend: &dyn Backend) {
    for pages in [Pages::Tiny, Pages::Default] {
        let store = backend.open(pages).await.store;
        let stream = name("ranges");
        let written = fill(&*store, &stream, &[2, 1, 3, 1, 1]).await;
        for after in (0..10).map(Version) {
            for until in (0..10).chain([u64::MAX]).map(Version) {
                let inside = written.iter().filter(|commit| commit.last() > after && commit.first <= until);
                let inside: Vec<_> = inside.cloned().collect();
                let read = Read::after(after).until(until);
                let forward = read_all(&*store, &stream, read.clone()).await;
                same(
                    &forward,
                    &inside,
                    format_args!("oldest first, after {after} until {until}, {pages:?} pages"),
                );
                let read = Read { direction: Direction::Backward, ..read };
                let mut backward = read_all(&*store, &stream, read).await;
                backward.reverse();
                same(
                    &backward,
                    &inside,
                    format_args!("newest first, after {after} until {until}, {pages:?} pages"),
                );
            }
        }
    }
}

pub(super) async fn a_stream_without_events_reads_empty(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    fill(&*store, &name("another"), &[1]).await;
    let stream = name("nothing");
    for read in [Read::all(), Read::backward(), Read::after(Version(5)), Read::backward().stop_at_snapshot(1)]
    {
        for consistency in [Consistency::Eventual, Consistency::Strong] {
            let page = store.read(&stream, read.clone().consistency(consistency)).await;
            let page = page.expect("a stream without events is readable");
            assert!(
                page.commits.is_empty() && !page.more,
                "a stream without events gives an empty last page"
            );
        }
    }
    assert_eq!(store.version(&stream).await.expect("a version can be asked for"), Version::EMPTY);
}

/// Names that are close to each other: the same id in other categories, prefixes, case, look-alikes.
pub(super) async fn streams_are_apart(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let names = [
        ("check", "1"),
        ("check", "10"),
        ("check", "01"),
        ("other", "1"),
        ("check-1", "1"),
        ("check", "1-1"),
        ("check", "a"),
        ("check", "A"),
        ("check", "é"),
        ("check", "e\u{301}"),
        ("check", "a b"),
        ("check", "a%20b"),
        ("check", "a+b"),
    ];
    let names = names.map(|(category, id)| StreamName::new(category, id).expect("a valid name"));
    for (events, stream) in (1..).zip(&names) {
        put(&*store, append(stream, NoStream, events)).await;
    }
    for (events, stream) in (1..).zip(&names) {
        assert_eq!(version(&*store, stream).await, Version(events), "{stream} has its own events only");
        assert_eq!(whole(&*store, stream).await.len(), 1);
    }
}
