//! Followers over a feed whose partitions split and merge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{
    Append, EventFeed, FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError,
};
use headwater::{EventData, Expected, StreamName, Version};
use tokio::sync::Notify;

use super::limits::RING_RECORDS;
use super::{Follower, Hub, Next, Start};
use crate::ProblemKind;

/// A feed in memory whose partitions split and merge.
#[derive(Debug, Default)]
struct Splitting {
    state: Mutex<State>,
    grown: Notify,
}

#[derive(Debug, Default)]
struct State {
    parts: Vec<Part>,
    versions: BTreeMap<usize, u64>,
    reads: usize,
}

#[derive(Debug, Default)]
struct Part {
    parents: Vec<usize>,
    records: Vec<FeedRecord>,
    closed: bool,
    /// How many of its oldest records are gone.
    expired: usize,
}

fn id(number: usize) -> PartitionId {
    PartitionId(format!("part-{number}").into())
}

impl Splitting {
    fn new(partitions: usize) -> Arc<Self> {
        let feed = Self::default();
        feed.state.lock().unwrap().parts.resize_with(partitions, Part::default);
        Arc::new(feed)
    }

    fn open(state: &State) -> Vec<usize> {
        (0..state.parts.len()).filter(|number| !state.parts[*number].closed).collect()
    }

    fn append(&self, stream: usize) {
        let mut state = self.state.lock().unwrap();
        let version = state.versions.entry(stream).or_default();
        *version += 1;
        let event = EventData { name: "E".into(), schema: 1, payload: "{}".into() };
        let name = StreamName::new("s", &stream.to_string()).unwrap();
        let commit = Append::new(name, Expected::Any, vec![event]).into_commit(Version(*version));
        let open = Self::open(&state);
        let records = &mut state.parts[open[stream % open.len()]].records;
        let position = Position((records.len() + 1).to_string().into());
        records.push(FeedRecord { position, commit: Arc::new(commit), redelivered: false });
        drop(state);
        self.grown.notify_waiters();
    }

    /// Closes partitions and opens others in their place: streams move, so all of them go together.
    fn reshard(&self, partitions: usize) {
        let mut state = self.state.lock().unwrap();
        let parents = Self::open(&state);
        parents.iter().for_each(|number| state.parts[*number].closed = true);
        let part = || Part { parents: parents.clone(), ..Part::default() };
        state.parts.extend((0..partitions).map(|_| part()));
        drop(state);
        self.grown.notify_waiters();
    }

    fn expire(&self) {
        let mut state = self.state.lock().unwrap();
        state.parts.iter_mut().for_each(|part| part.expired = part.records.len());
    }

    fn reads(&self) -> usize {
        self.state.lock().unwrap().reads
    }
}

#[async_trait]
impl EventFeed for Splitting {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let state = self.state.lock().unwrap();
        let partition = |(number, part): (usize, &Part)| {
            let mut partition = Partition::new(id(number));
            partition.parents = part.parents.iter().copied().map(id).collect();
            partition
        };
        Ok(state.parts.iter().enumerate().map(partition).collect())
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut state = self.state.lock().unwrap();
        state.reads += 1;
        let number: usize = partition.0.strip_prefix("part-").unwrap().parse().unwrap();
        let part = &state.parts[number];
        let known = position.map_or(part.expired, |position| position.0.parse().unwrap());
        if known < part.expired {
            return Err(StoreError::Position { reason: "it is gone".to_owned() });
        }
        let records: Vec<_> = part.records.iter().skip(known).take(limit).cloned().collect();
        let next = records.last().map(|record| &record.position).or(position).cloned();
        let ended = part.closed && known + records.len() == part.records.len();
        Ok(FeedBatch { records, next, ended })
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        _ = tokio::time::timeout(timeout, self.grown.notified()).await;
    }
}

/// Every version of every stream, as somebody saw them.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, Vec<u64>>);

impl Seen {
    fn note(&mut self, records: &[FeedRecord]) {
        for record in records {
            let stream = record.commit.stream.to_string();
            self.0.entry(stream).or_default().push(record.commit.first.0);
        }
    }

    #[track_caller]
    fn is_everything(&self, feed: &Splitting, what: &str) {
        for (stream, version) in &feed.state.lock().unwrap().versions {
            let seen = self.0.get(&format!("s/{stream}")).cloned().unwrap_or_default();
            assert_eq!(seen, (1..=*version).collect::<Vec<_>>(), "{what}: stream {stream}");
        }
    }
}

/// Takes what comes until there is nothing for a while.
async fn take(follower: &mut Follower, seen: &mut Seen) {
    loop {
        match follower.next(7, Duration::from_secs(20)).await.unwrap() {
            Next::Records(_, records) => seen.note(&records),
            Next::CaughtUp => {}
            Next::Idle => return,
            Next::Lagged => panic!("it is not that slow"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn followers_get_everything_in_order_through_splits_and_merges() {
    for seed in 0..30_u64 {
        let feed = Splitting::new(3);
        let hub = Hub::new(Arc::clone(&feed) as Arc<dyn EventFeed>);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut live = hub.subscribe(&Start::Oldest).await.unwrap();
        let (mut all, mut pieces) = (Seen::default(), Seen::default());
        let mut cursor: Option<String> = None;
        for _ in 0..40 {
            (0..random.usize(0..12)).for_each(|_| feed.append(random.usize(0..8)));
            if random.usize(0..6) == 0 {
                feed.reshard(random.usize(1..5));
            }
            // One stays, another comes and goes with its cursor.
            if let Next::Records(_, records) = live.next(3, Duration::from_millis(50)).await.unwrap() {
                all.note(&records);
            }
            let start = cursor.take().map_or(Start::Oldest, Start::Cursor);
            let mut again = match random.bool() {
                true => hub.subscribe(&start).await.unwrap(),
                false => hub.reader(&start).await.unwrap(),
            };
            for _ in 0..random.usize(0..6) {
                if let Next::Records(_, records) = again.next(4, Duration::from_millis(30)).await.unwrap() {
                    pieces.note(&records);
                }
            }
            cursor = Some(again.cursor());
        }
        take(&mut live, &mut all).await;
        all.is_everything(&feed, &format!("seed {seed}, live"));
        let mut last = hub.subscribe(&Start::Cursor(cursor.unwrap())).await.unwrap();
        take(&mut last, &mut pieces).await;
        pieces.is_everything(&feed, &format!("seed {seed}, by cursors"));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_too_slow_is_told_and_goes_on_from_his_cursor() {
    let feed = Splitting::new(1);
    let hub = Hub::new(Arc::clone(&feed) as Arc<dyn EventFeed>);
    let mut slow = hub.subscribe(&Start::Oldest).await.unwrap();
    let mut seen = Seen::default();
    feed.append(0);
    take(&mut slow, &mut seen).await;
    (0..RING_RECORDS + 10).for_each(|_| feed.append(0));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let cursor = slow.cursor();
    assert!(matches!(slow.next(10, Duration::ZERO).await.unwrap(), Next::Lagged));
    drop(slow);
    let mut again = hub.subscribe(&Start::Cursor(cursor)).await.unwrap();
    take(&mut again, &mut seen).await;
    seen.is_everything(&feed, "after the cursor");
}

#[tokio::test(start_paused = true)]
async fn one_reader_serves_everybody_who_is_at_the_end() {
    let feed = Splitting::new(2);
    let hub = Hub::new(Arc::clone(&feed) as Arc<dyn EventFeed>);
    let mut followers = Vec::new();
    for _ in 0..100 {
        let mut follower = hub.subscribe(&Start::Now).await.unwrap();
        take(&mut follower, &mut Seen::default()).await;
        followers.push(follower);
    }
    let before = feed.reads();
    for stream in 0..10 {
        feed.append(stream);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for follower in &mut followers {
        let mut seen = 0;
        while let Next::Records(_, records) = follower.next(10, Duration::from_millis(10)).await.unwrap() {
            seen += records.len();
        }
        assert_eq!(seen, 10);
    }
    let reads = feed.reads() - before;
    assert!(reads < 100, "{reads} reads for 100 followers");
}

#[tokio::test(start_paused = true)]
async fn tails_end_when_nobody_is_left_and_a_place_that_is_gone_is_named() {
    let feed = Splitting::new(1);
    let hub = Hub::new(Arc::clone(&feed) as Arc<dyn EventFeed>);
    let mut seen = Seen::default();
    feed.append(0);
    let mut follower = hub.subscribe(&Start::Oldest).await.unwrap();
    take(&mut follower, &mut seen).await;
    let cursor = follower.cursor();
    drop(follower);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = feed.reads();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(feed.reads(), before, "somebody reads for nobody");
    (0..5).for_each(|_| feed.append(0));
    feed.expire();
    let mut again = hub.subscribe(&Start::Cursor(cursor)).await.unwrap();
    let problem = again.next(10, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::CursorExpired);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_subscribers_is_bounded_and_a_place_is_given_back() {
    let hub = Hub::new(Splitting::new(1) as Arc<dyn EventFeed>);
    let mut followers = Vec::new();
    for _ in 0..super::limits::SUBSCRIBERS {
        followers.push(hub.reader(&Start::Oldest).await.unwrap());
    }
    assert_eq!(hub.reader(&Start::Oldest).await.unwrap_err().kind, ProblemKind::Overloaded);
    followers.pop();
    assert!(hub.reader(&Start::Oldest).await.is_ok());
}
