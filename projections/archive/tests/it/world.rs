//! Everything that workers of an archive share, in one process and on one clock, and the check of what they leave.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use headwater::key::{CommandKey, Fingerprint, KeyedCommand};
use headwater::store::{Append, FeedRecord, PartitionId};
use headwater::{Commit, EventData, EventFeed, EventStore, Expected, StreamName};
use headwater_archive::objects::MemoryObjects;
use headwater_archive::{Archive, ArchiveFile, ArchivedEvent, Columns, Rotation};
use headwater_projections::group::MemoryLeases;
use headwater_projections::{LeaseStore, RunError};
use headwater_store_memory::MemoryStore;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::feed::Feed;

pub(crate) struct World {
    pub(crate) ledger: Arc<MemoryStore>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) objects: MemoryObjects,
    /// The archive as workers reach it.
    pub(crate) written: Archive,
    /// The archive as it is.
    pub(crate) archive: Archive,
    pub(crate) leases: Arc<MemoryLeases>,
    pub(crate) rotation: Rotation,
    appended: u64,
}

pub(crate) struct Worker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

/// An event as both sides know it: position, commit, index, version, redelivered.
type Seen = (String, String, u32, u64, bool);

impl Worker {
    /// Ends it as a kill would, wherever it is.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// Files of a few events, so that there are many.
pub(crate) fn small() -> Rotation {
    let mut rotation = Rotation::default();
    rotation.events = 10;
    rotation.age = Duration::from_secs(5);
    rotation
}

pub(crate) fn stream(id: &str) -> StreamName {
    StreamName::new("account", id).unwrap()
}

pub(crate) fn event(name: &'static str, payload: impl Into<bytes::Bytes>) -> EventData {
    EventData { name: name.into(), schema: 1, payload: payload.into() }
}

impl World {
    pub(crate) fn new(partitions: usize, rotation: Rotation) -> Self {
        let objects = MemoryObjects::new();
        let written = Archive::new(Arc::new(objects.clone()), "bank").unwrap();
        let archive = Archive::new(Arc::new(objects.sound()), "bank").unwrap();
        Self {
            ledger: Arc::new(MemoryStore::new()),
            feed: Arc::new(Feed::new(partitions)),
            objects,
            written,
            archive,
            leases: Arc::new(MemoryLeases::new()),
            rotation,
            appended: 0,
        }
    }

    /// Appends a commit without publishing it. Some have keys, some metadata.
    pub(crate) async fn append(&mut self, id: &str, events: Vec<EventData>) -> Arc<Commit> {
        self.appended += 1;
        let mut append = Append::new(stream(id), Expected::Any, events);
        if self.appended.is_multiple_of(3) {
            let key = CommandKey::new(format!("key {}", self.appended)).unwrap();
            append.command = Some(KeyedCommand { key, fingerprint: Fingerprint(u64::MAX - self.appended) });
        }
        if self.appended.is_multiple_of(4) {
            append.metadata.actor = Some("tester".to_owned());
            append.metadata.fields.insert("number".to_owned(), self.appended.to_string());
        }
        self.ledger.append(append).await.unwrap().commit
    }

    /// Appends commits of one to three events to some accounts and publishes them.
    pub(crate) async fn load(&mut self, commits: usize) {
        for _ in 0..commits {
            let number = self.appended;
            let events =
                (0..=number % 3).map(|index| event("Noted", format!("{{\"n\":{number},\"i\":{index}}}")));
            let commit = self.append(&(number % 13).to_string(), events.collect()).await;
            self.feed.publish(&commit);
        }
    }

    pub(crate) fn start(&self) -> Worker {
        self.start_with(Arc::clone(&self.leases) as Arc<dyn LeaseStore>)
    }

    pub(crate) fn start_with(&self, leases: Arc<dyn LeaseStore>) -> Worker {
        let feed = Arc::clone(&self.feed) as Arc<dyn EventFeed>;
        let group = self.written.group(feed, leases, self.rotation.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(group.run(async { drop(stopped.await) }));
        Worker { stop, task }
    }

    /// Every file, none of them broken and no link of a chain missing.
    pub(crate) async fn files(&self) -> BTreeMap<PartitionId, Vec<ArchiveFile>> {
        let files = self.archive.files().await.unwrap();
        assert!(files.links.is_empty(), "{:?}", files.links);
        files.chains
    }

    /// What the archive has of each partition, in the order of its chain.
    pub(crate) async fn archived(&self) -> BTreeMap<PartitionId, Vec<Seen>> {
        let mut archived = BTreeMap::<PartitionId, Vec<_>>::new();
        for (partition, chain) in self.files().await {
            for file in chain {
                let events = archived.entry(partition.clone()).or_default();
                let mut visit = |event: ArchivedEvent<'_>| {
                    let rest = event.rest.unwrap();
                    assert_eq!(rest.partition, &*partition.0);
                    let (position, commit) = (rest.position.to_owned(), event.commit.to_string());
                    events.push((position, commit, event.index, event.version.0, rest.redelivered));
                    ControlFlow::Continue(())
                };
                self.archive.read(&file, Columns::All, &mut visit).await.unwrap();
            }
        }
        archived
    }

    /// What the feed has handed out, in the same form.
    pub(crate) fn published(&self) -> BTreeMap<PartitionId, Vec<Seen>> {
        let events = |record: &FeedRecord| {
            let events = record.commit.recorded().map(|event| {
                let (position, id) = (record.position.to_string(), event.id());
                (position, id.commit.to_string(), id.index, event.version().0, record.redelivered)
            });
            events.collect::<Vec<_>>()
        };
        let published = self.feed.published().into_iter();
        published.map(|(partition, records)| (partition, records.iter().flat_map(events).collect())).collect()
    }

    /// Waits until every commit is archived, and checks that each is there once, in order.
    pub(crate) async fn until_whole(&self, what: &str) {
        let published = self.feed.published().into_iter();
        let ends: BTreeMap<_, _> = published
            .map(|(partition, records)| (partition, records.last().unwrap().position.clone()))
            .collect();
        self.until(what, async |world| {
            let files = world.archive.files().await.unwrap();
            ends.iter().all(|(partition, end)| {
                let last = files.chains.get(partition).and_then(|chain| chain.last());
                last.is_some_and(|last| last.last == *end)
            })
        })
        .await;
        assert_eq!(self.archived().await, self.published(), "{what}");
    }

    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self).await {
            assert!(begun.elapsed() < Duration::from_secs(600), "{what}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
