//! Checks of scans: the whole ledger, each commit once, each stream in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tools::{append, fill, name, put, same, whole};
use super::{Backend, Pages};
use crate::Expected::Any;
use crate::store::{ErrorKind, EventStore, Scan, ScanCursor, StoreError};
use crate::{Commit, StreamName};

/// Sizes of the commits of a stream, so many that they do not fit on a tiny page.
const SIZES: [u64; 7] = [1, 3, 1, 2, 1, 1, 4];
const STREAMS: usize = 30;

/// The commits of each stream, in the order they came.
type Streams = BTreeMap<StreamName, Vec<Arc<Commit>>>;

pub(super) async fn a_scan_gives_every_commit_once_in_the_order_of_its_stream(backend: &dyn Backend) {
    for pages in [Pages::Tiny, Pages::Default] {
        let store = backend.open(pages).await.store;
        assert!(scanned(&*store, Scan::all()).await.is_empty(), "an empty ledger has nothing to scan");
        let written = filled(&*store).await;
        equal(&scanned(&*store, Scan::all()).await, &written);
        equal(&scanned(&*store, Scan::all().limit(3)).await, &written);
        for stream in written.keys() {
            same(
                &whole(&*store, stream).await,
                written.get(stream).map_or(&[], Vec::as_slice),
                "a scan changes nothing",
            );
        }
    }
}

pub(super) async fn segments_share_the_streams_and_nothing_is_lost(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let written = filled(&*store).await;
    for segments in [2, 3, 8, 64] {
        let mut all = Streams::new();
        for segment in 0..segments {
            for (stream, commits) in scanned(&*store, Scan::segment(segment, segments)).await {
                let before = all.insert(stream.clone(), commits);
                assert!(before.is_none(), "{stream} lies in two of {segments} segments");
            }
        }
        equal(&all, &written);
    }
}

pub(super) async fn a_scan_goes_on_where_it_was(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let written = filled(&*store).await;
    let mut found = Streams::new();
    let mut scan = Scan::all().limit(2);
    loop {
        let page = store.scan(scan.clone()).await.expect("a ledger can be scanned");
        assert!(page.commits.len() <= 2, "a page of at most 2 has {}", page.commits.len());
        collect(&mut found, page.commits);
        let Some(next) = page.next else { break };
        // As it would be after a restart: the cursor is all that was kept.
        let kept = serde_json::to_string(&next).expect("a cursor can be kept");
        scan = Scan::all().limit(2).after(serde_json::from_str(&kept).expect("a cursor can be read again"));
    }
    equal(&found, &written);
}

pub(super) async fn a_scan_has_everything_acknowledged_before_it_began(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let before = filled(&*store).await;
    let mut found = Streams::new();
    let mut next = Some(Scan::all().limit(5));
    let mut later = 0;
    while let Some(scan) = next {
        // Writers do not stop for a scan: streams grow before and behind the place it has reached.
        for number in [later % STREAMS, STREAMS + later] {
            put(&*store, append(&stream(number), Any, 1)).await;
        }
        later += 1;
        let page = store.scan(scan.clone()).await.expect("a ledger can be scanned");
        collect(&mut found, page.commits);
        next = page.next.filter(|_| later < 200).map(|cursor| scan.after(cursor));
    }
    for (stream, commits) in before {
        let found = found.get(&stream).map_or(&[][..], Vec::as_slice);
        let same_part = found.get(..commits.len()).unwrap_or(found);
        same(same_part, &commits, format_args!("what {stream} had before the scan"));
        let now = whole(&*store, &stream).await;
        same(found, now.get(..found.len()).unwrap_or(&now), format_args!("what the scan has of {stream}"));
    }
}

pub(super) async fn a_segment_that_does_not_exist_is_refused(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let most = crate::store::limits::SCAN_SEGMENTS;
    let cursor = |text: &str| Scan::all().after(ScanCursor(text.into()));
    let bad = [Scan::segment(0, 0), Scan::segment(1, 1), Scan::segment(0, most + 1), Scan::segment(7, 7)];
    for scan in bad.into_iter().chain(["", "x", "@", "-1", "no place"].map(cursor)) {
        match store.scan(scan.clone()).await {
            Err(StoreError::Invalid(_)) => {}
            Err(error) => panic!("{scan:?} must be {:?}, but: {error}", ErrorKind::Invalid),
            Ok(_) => panic!("{scan:?} must be refused"),
        }
    }
}

fn stream(number: usize) -> StreamName {
    name(&format!("scan@{number}"))
}

/// Writes to many streams in turn.
async fn filled(store: &dyn EventStore) -> Streams {
    let mut written = Streams::new();
    for (number, size) in SIZES.into_iter().enumerate() {
        for stream in (0..STREAMS).filter(|stream| stream % SIZES.len() >= number).map(stream) {
            let commits = fill(store, &stream, &[size]).await;
            written.entry(stream).or_default().extend(commits);
        }
    }
    written
}

/// Everything a scan gives, over all pages.
async fn scanned(store: &dyn EventStore, scan: Scan) -> Streams {
    let mut streams = Streams::new();
    let mut next = Some(scan);
    while let Some(scan) = next {
        let page = store.scan(scan.clone()).await.expect("a ledger can be scanned");
        assert!(page.commits.len() <= scan.limit, "a page keeps its limit");
        collect(&mut streams, page.commits);
        next = page.next.map(|cursor| scan.after(cursor));
    }
    streams
}

fn collect(streams: &mut Streams, commits: Vec<Arc<Commit>>) {
    for commit in commits {
        streams.entry(commit.stream.clone()).or_default().push(commit);
    }
}

#[track_caller]
fn equal(found: &Streams, written: &Streams) {
    let names = |streams: &Streams| streams.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(written), "a scan has these streams");
    for (stream, commits) in written {
        same(found.get(stream).map_or(&[], Vec::as_slice), commits, format_args!("the scan of {stream}"));
    }
}
