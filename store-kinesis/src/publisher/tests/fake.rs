//! A sink that answers as it is told, and that notices two records of a stream in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Commit, EventData, Expected, StreamName, Version};
use tokio::time::Instant;

use crate::feed::nudges::Nudges;
use crate::publisher::answer::{Answer, Outcome, Place};
use crate::publisher::sink::Sink;
use crate::publisher::{Job, Publisher, limits};

pub(super) type Batch = [(Arc<Commit>, bool)];
type Rule = Box<dyn FnMut(&Batch) -> Answer + Send>;

/// The error at which the request itself ends in a panic.
pub(super) const PANIC: &str = "the request ends without an answer";

/// How long the sink takes for an answer.
pub(super) const LATENCY: Duration = Duration::from_millis(10);

/// How long a test with paused time waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub(super) struct Fake {
    rule: Mutex<Rule>,
    in_flight: Mutex<BTreeSet<StreamName>>,
    /// When each request came, and how many records it had.
    pub(super) requests: Mutex<Vec<(Instant, usize)>>,
    /// What was published, in order; a commit may be there more than once.
    pub(super) published: Mutex<Vec<(StreamName, Version)>>,
}

impl Fake {
    pub(super) fn new(rule: impl FnMut(&Batch) -> Answer + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            rule: Mutex::new(Box::new(rule)),
            in_flight: Mutex::default(),
            requests: Mutex::default(),
            published: Mutex::default(),
        })
    }

    /// A sink that takes everything.
    pub(super) fn kind() -> Arc<Self> {
        Self::new(published)
    }

    /// From now on it answers by this rule.
    pub(super) fn rules(&self, rule: impl FnMut(&Batch) -> Answer + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    pub(super) fn start(self: &Arc<Self>) -> Publisher {
        self.start_with_room(limits::QUEUE_COMMITS)
    }

    pub(super) fn start_with_room(self: &Arc<Self>, commits: usize) -> Publisher {
        let sink: Arc<dyn Sink> = Arc::clone(self) as _;
        let nudges = Arc::new(Nudges::default());
        Publisher::start_with(sink, "shop-feed".to_owned(), commits, limits::QUEUE_BYTES, nudges)
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.requests.lock().unwrap().iter().map(|(_, records)| *records).collect()
    }
}

#[async_trait]
impl Sink for Fake {
    async fn put(&self, commits: Vec<(Arc<Commit>, bool)>) -> Answer {
        self.requests.lock().unwrap().push((Instant::now(), commits.len()));
        for (commit, _) in &commits {
            let alone = self.in_flight.lock().unwrap().insert(commit.stream.clone());
            assert!(alone, "two records of {} in flight", commit.stream);
        }
        tokio::time::sleep(LATENCY).await;
        let answer = (self.rule.lock().unwrap())(&commits);
        for (place, (commit, _)) in commits.iter().enumerate() {
            self.in_flight.lock().unwrap().remove(&commit.stream);
            let taken = matches!(&answer, Answer::Each(each) if matches!(each[place], Outcome::Published(_)));
            if taken {
                self.published.lock().unwrap().push((commit.stream.clone(), commit.first));
            }
        }
        assert_ne!(answer, Answer::Failed(PANIC.to_owned()));
        answer
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

/// Waits until everything given so far is published, for an hour at most: time is paused.
pub(super) async fn flush(publisher: &Publisher) {
    let flushed = tokio::time::timeout(PATIENCE, publisher.flush()).await;
    assert!(flushed.is_ok(), "{:?}", publisher.state());
}

pub(super) fn published(batch: &Batch) -> Answer {
    Answer::Each(batch.iter().map(|_| taken()).collect())
}

pub(super) fn taken() -> Outcome {
    Outcome::Published(Place { shard: "shard-0".to_owned(), sequence: "7".to_owned() })
}

pub(super) fn failed(_: &Batch) -> Answer {
    Answer::Failed("sorry".to_owned())
}

pub(super) fn commit(id: &str, version: u64) -> Commit {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    let stream = StreamName::new("account", id).unwrap();
    Append::new(stream, Expected::Any, vec![event]).into_commit(Version(version))
}

/// Counts how often each commit was reported as published.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Mutex<BTreeMap<(StreamName, Version), usize>>>, Arc<AtomicUsize>);

impl Told {
    pub(super) fn job(&self, commit: Commit) -> Job {
        let (told, key) = (self.clone(), (commit.stream.clone(), commit.first));
        let done = Box::new(move || {
            *told.0.lock().unwrap().entry(key).or_default() += 1;
            told.1.fetch_add(1, Ordering::SeqCst);
        });
        Job { commit: Arc::new(commit), redelivered: false, done }
    }

    pub(super) fn publish(&self, publisher: &Publisher, id: &str, version: u64) {
        publisher.publish(publisher.room(100).unwrap(), self.job(commit(id, version)));
    }

    pub(super) fn count(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }

    pub(super) fn each_once(&self) -> bool {
        self.0.lock().unwrap().values().all(|times| *times == 1)
    }

    /// Waits until so many were reported.
    pub(super) async fn reaches(&self, count: usize) {
        let reached = async {
            while self.count() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, reached).await.is_ok(), "{} of {count}", self.count());
    }
}
