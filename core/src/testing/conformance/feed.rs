//! Checks of the feed: every commit arrives, in order per stream, wherever reading begins.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tools::{append, fill, name, put};
use super::transactions::commit;
use super::{Backend, Opened, Pages};
use crate::Expected::Any;
use crate::store::{EventFeed, FeedRecord, PartitionId, Position, StoreError, Transaction};
use crate::{Commit, CommitId, Version};

/// What was read of every partition.
type Read = BTreeMap<PartitionId, Vec<FeedRecord>>;

pub(super) async fn every_commit_reaches_the_feed(backend: &dyn Backend) {
    let (opened, written) = filled(backend, Pages::Tiny).await;
    let read = drain(&*opened.feed, &written, 100, backend.scale().patience).await;
    let by_id: HashMap<CommitId, &Arc<Commit>> =
        read.values().flatten().map(|record| (record.commit.id, &record.commit)).collect();
    assert_eq!(by_id.len(), written.len(), "the feed holds nothing else");
    for commit in &written {
        assert_eq!(by_id.get(&commit.id), Some(&commit), "the feed hands out the commit as it was stored");
    }
}

pub(super) async fn a_stream_arrives_in_order(backend: &dyn Backend) {
    let (opened, written) = filled(backend, Pages::Default).await;
    let read = drain(&*opened.feed, &written, 100, backend.scale().patience).await;
    let mut heads = HashMap::new();
    let mut homes = HashMap::new();
    for (partition, record) in
        read.iter().flat_map(|(id, records)| records.iter().map(move |record| (id, record)))
    {
        let commit = &record.commit;
        let home = homes.entry(&commit.stream).or_insert(partition);
        assert_eq!(*home, partition, "{} is in one partition", commit.stream);
        let head = heads.entry(&commit.stream).or_insert(Version::EMPTY);
        if commit.first > *head {
            assert_eq!(commit.first, head.next(), "{} arrives in the order of its versions", commit.stream);
            *head = commit.last();
        }
    }
}

pub(super) async fn positions_rise_and_can_be_resumed_from(backend: &dyn Backend) {
    let (opened, written) = filled(backend, Pages::Default).await;
    let read = drain(&*opened.feed, &written, 100, backend.scale().patience).await;
    for (partition, records) in &read {
        for (earlier, later) in records.iter().zip(records.iter().skip(1)) {
            assert!(earlier.position < later.position, "positions of partition {partition} rise");
        }
        for (number, record) in records.iter().enumerate() {
            let rest: Vec<_> =
                records.iter().skip(number + 1).map(|record| record.position.clone()).collect();
            let resumed = positions(&*opened.feed, partition, &record.position, rest.len()).await;
            assert_eq!(resumed, rest, "reading after {} gives what follows it", record.position);
        }
    }
}

pub(super) async fn one_at_a_time_equals_all_at_once(backend: &dyn Backend) {
    let (opened, written) = filled(backend, Pages::Default).await;
    let patience = backend.scale().patience;
    let ids = |read: Read| -> BTreeMap<PartitionId, Vec<(Position, CommitId)>> {
        let ids = |records: Vec<FeedRecord>| records.into_iter().map(|r| (r.position, r.commit.id)).collect();
        read.into_iter().map(|(partition, records)| (partition, ids(records))).collect()
    };
    let at_once = ids(drain(&*opened.feed, &written, 1_000, patience).await);
    for limit in [1, 2, 3] {
        let few = ids(drain(&*opened.feed, &written, limit, patience).await);
        assert_eq!(few, at_once, "batches of {limit} give the same as all at once");
    }
}

/// A reader waits and a writer writes, at the same time, again and again: a wake-up that is lost costs the whole
/// timeout of the wait, and the check runs out of patience.
pub(super) async fn a_waiting_reader_is_woken(backend: &dyn Backend) {
    let opened = backend.open(Pages::Default).await;
    let stream = name("woken");
    let first = put(&*opened.store, append(&stream, Any, 1)).await;
    let patience = backend.scale().patience;
    let read = drain(&*opened.feed, &[first], 10, patience).await;
    let (partition, records) =
        read.into_iter().find(|(_, records)| !records.is_empty()).expect("one was read");
    let mut position = records.last().map(|record| record.position.clone());
    for _ in 0..backend.scale().rounds * 4 {
        let store = Arc::clone(&opened.store);
        let append = append(&stream, Any, 1);
        let id = append.id;
        let writer = tokio::spawn(async move { put(&*store, append).await });
        loop {
            opened.feed.wait(&partition, position.as_ref(), patience * 2).await;
            let batch = opened.feed.read_after(&partition, position.as_ref(), 10).await;
            let batch = batch.expect("the feed must be readable");
            position = batch.next.or(position);
            if batch.records.iter().any(|record| record.commit.id == id) {
                break;
            }
        }
        writer.await.expect("the writer does not panic");
    }
}

pub(super) async fn waiting_ends_at_its_timeout(backend: &dyn Backend) {
    let opened = backend.open(Pages::Default).await;
    let written = fill(&*opened.store, &name("quiet"), &[1, 1]).await;
    let read = drain(&*opened.feed, &written, 10, backend.scale().patience).await;
    for partition in opened.feed.partitions().await.expect("there are partitions") {
        let position = read.get(&partition.id).and_then(|records| Some(&records.last()?.position));
        let began = Instant::now();
        let waited = opened.feed.wait(&partition.id, position, Duration::from_millis(30));
        let ended = tokio::time::timeout(Duration::from_secs(10), waited).await;
        assert!(ended.is_ok(), "a wait of 30 ms has not ended after {:?}", began.elapsed());
    }
}

pub(super) async fn an_unknown_partition_is_refused(backend: &dyn Backend) {
    let feed = backend.open(Pages::Default).await.feed;
    let unknown = PartitionId("no-such-partition".into());
    match feed.read_after(&unknown, None, 1).await {
        Err(StoreError::Position { .. }) => {}
        Err(error) => panic!("an unknown partition is a wrong position, but: {error}"),
        Ok(_) => panic!("an unknown partition must be refused, but it was read"),
    }
}

/// A store with commits of many streams, some of them written together.
async fn filled(backend: &dyn Backend, pages: Pages) -> (Opened, Vec<Arc<Commit>>) {
    let opened = backend.open(pages).await;
    let mut written = Vec::new();
    for round in 0..3 {
        for stream in 0..20 {
            written.append(&mut fill(&*opened.store, &name(&format!("fed-{stream}")), &[1, 2]).await);
        }
        let streams = (round..round + 5).map(|stream| name(&format!("fed-{stream}")));
        let appends = streams.map(|stream| append(&stream, Any, 3)).collect();
        let appended = commit(&*opened.store, Transaction { appends, checks: vec![] }).await;
        written.extend(appended.into_iter().map(|appended| appended.commit));
    }
    (opened, written)
}

/// Reads every partition from its beginning until all of these commits were seen.
async fn drain(feed: &dyn EventFeed, commits: &[Arc<Commit>], limit: usize, patience: Duration) -> Read {
    // Before the check itself runs out of time, so that the missing commits are named.
    let deadline = Instant::now() + patience / 4;
    let mut missing: HashSet<CommitId> = commits.iter().map(|commit| commit.id).collect();
    let mut read = Read::new();
    let mut next: HashMap<PartitionId, Position> = HashMap::new();
    loop {
        let mut quiet = true;
        for partition in feed.partitions().await.expect("there are partitions") {
            let position = next.get(&partition.id);
            let batch =
                feed.read_after(&partition.id, position, limit).await.expect("the feed must be readable");
            assert!(batch.records.len() <= limit, "a batch of at most {limit} has {}", batch.records.len());
            assert!(!batch.ended, "partition {} is live and has not ended", partition.id);
            quiet &= batch.records.is_empty();
            batch.records.iter().for_each(|record| {
                missing.remove(&record.commit.id);
            });
            read.entry(partition.id.clone()).or_default().extend(batch.records);
            next.extend(batch.next.map(|position| (partition.id, position)));
        }
        if quiet && missing.is_empty() {
            return read;
        }
        if quiet {
            assert!(
                Instant::now() < deadline,
                "{} commits did not reach the feed (L4): {missing:?}",
                missing.len()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The positions after one, until `count` were read.
async fn positions(feed: &dyn EventFeed, id: &PartitionId, after: &Position, count: usize) -> Vec<Position> {
    let mut read = Vec::new();
    let mut next = after.clone();
    loop {
        let batch = feed.read_after(id, Some(&next), 100).await.expect("the feed must be readable");
        if batch.records.is_empty() && read.len() >= count {
            return read;
        }
        read.extend(batch.records.into_iter().map(|record| record.position));
        next = batch.next.unwrap_or(next);
    }
}
