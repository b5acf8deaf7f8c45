//! Checks of pages: nothing is lost between them.

use super::tools::{append, fill, name, put, read_all, same, whole};
use super::{Backend, Pages};
use crate::Expected::Exact;
use crate::Version;
use crate::store::{Consistency, Direction, EventStoreExt, Read};

/// Sizes of commits that do not repeat with a page of any small size.
const SIZES: [u64; 23] = [1, 3, 1, 2, 5, 1, 1, 4, 2, 1, 1, 1, 6, 2, 3, 1, 2, 1, 1, 7, 1, 2, 1];

pub(super) async fn tiny_pages_give_the_whole_stream(backend: &dyn Backend) {
    for pages in [Pages::Tiny, Pages::Default] {
        let store = backend.open(pages).await.store;
        let stream = name("pages");
        let written = fill(&*store, &stream, &SIZES).await;
        same(&whole(&*store, &stream).await, &written, format_args!("oldest first, with {pages:?} pages"));
        let mut backward = read_all(&*store, &stream, Read::backward()).await;
        backward.reverse();
        same(&backward, &written, format_args!("newest first, with {pages:?} pages"));
        let loaded = store.load(&stream, None, Consistency::Strong).await.expect("a stream must load");
        same(&loaded.tail, &written, format_args!("loaded, with {pages:?} pages"));
    }
}

pub(super) async fn a_page_keeps_its_limit(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("limits");
    let written = fill(&*store, &stream, &SIZES).await;
    for direction in [Direction::Forward, Direction::Backward] {
        for limit in [1, 2, 3, 22, 23, 24] {
            let read = Read { direction, ..Read::all().limit(limit) };
            let page = store.read(&stream, read.clone()).await.expect("a stream must be readable");
            assert!(page.commits.len() <= limit, "a page of at most {limit} has {}", page.commits.len());
            assert!(!page.commits.is_empty(), "a page is not empty while there is more");
            assert_eq!(
                read_all(&*store, &stream, read).await.len(),
                written.len(),
                "pages of {limit} lose nothing"
            );
        }
    }
}

pub(super) async fn a_big_stream_loads_whole(backend: &dyn Backend) {
    const EVENTS: u64 = 100;
    let store = backend.open(Pages::Default).await.store;
    let stream = name("big");
    let commits = backend.scale().big_stream_events / EVENTS;
    for commit in 0..commits {
        put(&*store, append(&stream, Exact(Version(commit * EVENTS)), EVENTS)).await;
    }
    let loaded = store.load(&stream, None, Consistency::Strong).await.expect("a big stream must load");
    let events: usize = loaded.tail.iter().map(|commit| commit.events.len()).sum();
    assert_eq!(events as u64, commits * EVENTS, "every event of a big stream is loaded");
    assert_eq!(loaded.version(), Version(commits * EVENTS));
    same(&whole(&*store, &stream).await, &loaded.tail, "oldest first gives the same as loading");
}
