//! A ledger that is lost comes back out of the archive, exactly as it was.

use std::sync::Arc;

use headwater::store::{Append, Scan};
use headwater::{Commit, EventStore, Expected, StreamName, Version};
use headwater_archive::{Comparison, RestoreError, compare, restore};
use headwater_store_memory::MemoryStore;

use crate::world::{World, event, small, stream};

fn empty() -> Arc<dyn EventStore> {
    Arc::new(MemoryStore::new())
}

/// Every commit of a ledger, by stream and version.
async fn commits(ledger: &Arc<dyn EventStore>) -> Vec<Commit> {
    let (mut commits, mut next) = (Vec::new(), Some(Scan::all()));
    while let Some(scan) = next {
        let page = ledger.scan(scan).await.unwrap();
        commits.extend(page.commits.iter().map(|commit| Commit::clone(commit)));
        next = page.next.map(|cursor| Scan::all().after(cursor));
    }
    commits.sort_by(|a, b| (&a.stream, a.first).cmp(&(&b.stream, b.first)));
    commits
}

/// An archive of commits that came early, late, twice and over partitions that split.
async fn disordered() -> World {
    let mut world = World::new(2, small());
    let mut waiting = Vec::new();
    for number in 0..200_u64 {
        let events =
            (0..=number % 2).map(|index| event("Noted", format!("{{\"n\":{number},\"i\":{index}}}")));
        let commit = world.append(&(number % 11).to_string(), events.collect()).await;
        waiting.push(commit);
        if fastrand::u8(..3) == 0 {
            fastrand::shuffle(&mut waiting);
            for commit in waiting.drain(fastrand::usize(..waiting.len())..) {
                world.feed.publish(&commit);
                if fastrand::u8(..4) == 0 {
                    world.feed.publish_as(&commit, true);
                }
            }
        }
        if number == 120 {
            world.feed.split(0);
        }
    }
    fastrand::shuffle(&mut waiting);
    waiting.iter().for_each(|commit| world.feed.publish(commit));
    let worker = world.start();
    world.until_whole("in any order").await;
    worker.stop().await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_restored_ledger_is_the_one_that_was_archived() {
    for _ in 0..5 {
        let world = disordered().await;
        let (before, after) = (Arc::clone(&world.ledger) as Arc<dyn EventStore>, empty());
        let mut told = 0;
        let restored =
            restore(&world.archive, &after, false, &mut |progress| told = progress.commits).await.unwrap();
        assert_eq!((restored.streams, restored.commits, told), (11, 200, 200));
        assert_eq!(commits(&after).await, commits(&before).await);
        let comparison = compare(&world.archive, &after).await.unwrap();
        assert!(comparison.is_same() && comparison.commits == 200, "{comparison:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_not_empty_is_refused_and_not_touched() {
    let world = disordered().await;
    let ledger = empty();
    let append = Append::new(stream("other"), Expected::NoStream, vec![event("Noted", "{}")]);
    ledger.append(append).await.unwrap();
    let refused = restore(&world.archive, &ledger, false, &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, RestoreError::NotEmpty { stream: named } if *named == stream("other")),
        "{refused}"
    );
    assert_eq!(commits(&ledger).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_was_killed_anywhere_goes_on_where_it_was() {
    let world = disordered().await;
    for after in [1_u16, 30, 90, 150] {
        let ledger = empty();
        {
            let mut ignore = |_| {};
            let limit = Limited { ledger: Arc::clone(&ledger), left: i64::from(after).into() };
            let limited: Arc<dyn EventStore> = Arc::new(limit);
            let restoring = restore(&world.archive, &limited, false, &mut ignore);
            tokio::select! {
                done = restoring => panic!("{done:?}"),
                () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
            }
        }
        assert_eq!(commits(&ledger).await.len(), usize::from(after));
        let restored = restore(&world.archive, &ledger, true, &mut |_| {}).await.unwrap();
        assert_eq!(restored.before + restored.commits, 200);
        assert_eq!(
            commits(&ledger).await,
            commits(&(Arc::clone(&world.ledger) as Arc<dyn EventStore>)).await
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_restore_never_overwrites_and_a_comparison_names_what_else_is_there() {
    let world = disordered().await;
    let ledger = empty();
    for id in ["3", "other"] {
        let append = Append::new(stream(id), Expected::NoStream, vec![event("Noted", "{}")]);
        ledger.append(append).await.unwrap();
    }
    // Stream 3 begins with a commit of somebody else, so the ones that the archive has may not fit behind it.
    let outcome = restore(&world.archive, &ledger, true, &mut |_| {}).await;
    let first = ledger.read(&stream("3"), headwater::store::Read::all().limit(1)).await.unwrap();
    assert_eq!(first.commits[0].events[0].payload, "{}");
    if outcome.is_ok() {
        let Comparison { different, differences, .. } = compare(&world.archive, &ledger).await.unwrap();
        let named: Vec<_> = differences.iter().map(|difference| difference.stream.clone()).collect();
        assert_eq!((different, named), (2, vec![stream("3"), stream("other")]));
        assert_eq!(differences[1].archive, Version::EMPTY);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_archive_does_not_have_is_named() {
    let mut world = World::new(1, small());
    let mut lost = None;
    for number in 0..20 {
        let commit = world.append("1", vec![event("Noted", "{}")]).await;
        if number == 7 {
            lost = Some(commit);
        } else {
            world.feed.publish(&commit);
        }
    }
    let worker = world.start();
    world.until_whole("but one").await;
    worker.stop().await;
    let error = restore(&world.archive, &empty(), false, &mut |_| {}).await.unwrap_err();
    let RestoreError::Incomplete { stream: named, version } = &error else { panic!("{error}") };
    assert_eq!((named, *version), (&stream("1"), lost.unwrap().first));
}

/// A store that carries out so many appends and then never answers.
#[derive(Debug)]
struct Limited {
    ledger: Arc<dyn EventStore>,
    left: std::sync::atomic::AtomicI64,
}

#[async_trait::async_trait]
impl EventStore for Limited {
    fn capabilities(&self) -> headwater::store::Capabilities {
        self.ledger.capabilities()
    }
    async fn append(
        &self,
        append: Append,
    ) -> Result<headwater::store::Appended, headwater::store::StoreError> {
        if self.left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) <= 0 {
            std::future::pending::<()>().await;
        }
        self.ledger.append(append).await
    }
    async fn append_all(
        &self,
        transaction: headwater::store::Transaction,
    ) -> Result<Vec<headwater::store::Appended>, headwater::store::StoreError> {
        self.ledger.append_all(transaction).await
    }
    async fn read(
        &self,
        stream: &StreamName,
        read: headwater::store::Read,
    ) -> Result<headwater::store::Page, headwater::store::StoreError> {
        self.ledger.read(stream, read).await
    }
    async fn scan(&self, scan: Scan) -> Result<headwater::store::ScanPage, headwater::store::StoreError> {
        self.ledger.scan(scan).await
    }
}
