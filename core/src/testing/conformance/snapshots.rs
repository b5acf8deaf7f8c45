//! Checks of snapshots that ride in commits: where a read stops, and that nothing depends on them.

use std::sync::Arc;

use super::tools::{append, name, put, same, whole};
use super::{Backend, Pages};
use crate::Expected::Exact;
use crate::store::{Append, Consistency, EventStore, EventStoreExt, Read};
use crate::{Commit, Snapshot, StreamName, Version};

pub(super) async fn a_read_stops_at_the_newest_usable_snapshot(backend: &dyn Backend) {
    for pages in [Pages::Tiny, Pages::Default] {
        let store = backend.open(pages).await.store;
        let stream = name("stops");
        let commits = write(&*store, &stream, &[0, 1, 0, 0, 1, 0, 0, 0]).await;
        let read = Read::backward().stop_at_snapshot(1);
        let mut read = store.read_all(&stream, read).await.expect("a stream must be readable");
        read.reverse();
        let expected: Vec<_> = commits.iter().skip(4).cloned().collect();
        same(&read, &expected, format_args!("up to and with the newest snapshot, {pages:?} pages"));
    }
}

pub(super) async fn snapshots_of_other_versions_are_ignored(backend: &dyn Backend) {
    for pages in [Pages::Tiny, Pages::Default] {
        let store = backend.open(pages).await.store;
        let stream = name("others");
        let commits = write(&*store, &stream, &[0, 2, 0, 1, 0, 3, 0]).await;
        for (schema, known, tail) in [(1, 8, 3), (2, 4, 5), (3, 12, 1), (4, 0, 7)] {
            let loaded = store.load(&stream, Some(schema), Consistency::Strong).await;
            let loaded = loaded.expect("a stream must load");
            let version = loaded.snapshot.as_ref().map_or(Version::EMPTY, |(version, _)| *version);
            assert_eq!(version, Version(known), "the snapshot of version {schema}, {pages:?} pages");
            assert_eq!(loaded.tail.len(), tail, "what came after the snapshot of version {schema}");
            assert_eq!(loaded.version(), Version(14));
        }
        let loaded = store.load(&stream, None, Consistency::Strong).await.expect("a stream must load");
        same(&loaded.tail, &commits, "without a snapshot version everything is loaded");
    }
}

pub(super) async fn a_snapshot_and_its_tail_are_the_whole(backend: &dyn Backend) {
    let store = backend.open(Pages::Tiny).await.store;
    let stream = name("both");
    let mut schemas = Vec::new();
    for step in 0..12 {
        schemas.push(u32::from(step % 3 == 1));
        let stream = StreamName::new("check", &format!("{}-{step}", stream.id())).expect("a valid name");
        write(&*store, &stream, &schemas).await;
        let all = whole(&*store, &stream).await;
        let loaded = store.load(&stream, Some(1), Consistency::Strong).await.expect("a stream must load");
        let known = loaded.snapshot.as_ref().map_or(Version::EMPTY, |(version, _)| *version);
        let after: Vec<_> = all.iter().filter(|commit| commit.first > known).cloned().collect();
        same(&loaded.tail, &after, "the tail is all that came after the snapshot");
        let carrier = all.iter().rfind(|commit| commit.snapshot.is_some());
        let carried = carrier.and_then(|commit| Some((commit.last(), *commit.snapshot.clone()?)));
        assert_eq!(loaded.snapshot, carried, "the snapshot is the newest, as it was written");
    }
}

/// Commits of two events, each with a snapshot of this version; 0 is none.
async fn write(store: &dyn EventStore, stream: &StreamName, schemas: &[u32]) -> Vec<Arc<Commit>> {
    let mut commits = Vec::new();
    for (number, schema) in (0..).zip(schemas) {
        let state = format!("{{\"after\":{number}}}").into();
        let snapshot = (*schema > 0).then(|| Box::new(Snapshot { schema: *schema, state, keys: vec![] }));
        let append = Append { snapshot, ..append(stream, Exact(Version(number * 2)), 2) };
        commits.push(put(store, append).await);
    }
    commits
}
