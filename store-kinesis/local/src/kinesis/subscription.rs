//! SubscribeToShard: records pushed as they are stored, for five minutes.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{
    database::Database,
    failure::Failure,
    frame,
    operations::{
        consumers::Consumer,
        read::{Page, Position, Record, locate, page},
    },
    sequence,
    shard::Shard,
    stream,
};

/// How long a subscription lasts, as on AWS.
const LIFE: Duration = Duration::from_secs(5 * 60);
/// How long the last subscription keeps others off, as on AWS.
const EXCLUSIVE: Duration = Duration::from_secs(5);
/// After how long without records an event without records says that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How many records and bytes an event holds at most.
const MAX_RECORDS: usize = 10_000;
const MAX_BYTES: usize = 2 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SubscribeToShard {
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    shard_id: String,
    starting_position: Position,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    records: Vec<Record>,
    /// Absent at the end of the shard.
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_sequence_number: Option<String>,
    millis_behind_latest: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_shards: Vec<Value>,
}

/// Who subscribed last to which shard for which consumer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscriptions(Arc<Mutex<HashMap<Key, Latest>>>);

type Key = (String, i64);

#[derive(Debug, Clone, Copy)]
struct Latest {
    since: Instant,
    generation: u64,
}

impl Subscriptions {
    /// Takes over, unless the last one came less than [`EXCLUSIVE`] ago.
    fn take(&self, key: &Key) -> Result<Latest, Failure> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = Instant::now();
        let before = all.get(key);
        if before.is_some_and(|before| since - before.since < EXCLUSIVE) {
            return Err(Failure::in_use(format!(
                "Another active subscription exists for this consumer: {}",
                key.0
            )));
        }
        let latest = Latest { since, generation: before.map_or(0, |before| before.generation + 1) };
        all.insert(key.clone(), latest);
        Ok(latest)
    }

    fn is_latest(&self, key: &Key, generation: u64) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|latest| latest.generation == generation)
    }
}

struct Subscription {
    database: Database,
    written: watch::Receiver<u64>,
    subscriptions: Subscriptions,
    key: Key,
    generation: u64,
    stream: i64,
    after: i64,
    ends: Instant,
    quiet_since: Instant,
    next: Next,
}

enum Next {
    InitialResponse,
    Events,
    Nothing,
}

/// Subscribes, and answers the frames to send.
pub(crate) async fn subscribe(
    database: &Database,
    subscriptions: &Subscriptions,
    input: SubscribeToShard,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static, Failure> {
    let arn = input.consumer_arn.clone();
    let found = database.call(move |tx| {
        let consumer = Consumer::find(tx, &input.consumer_arn)?;
        if !consumer.is_active(tx.now) {
            return Err(Failure::in_use(format!("Consumer {} is not ACTIVE yet.", input.consumer_arn)));
        }
        let stream = stream::Stream::numbered(tx, consumer.stream)?;
        let shard = Shard::find(tx, &stream, &input.shard_id)?;
        let after = locate(tx, &stream, &shard, &input.starting_position)?;
        Ok((stream.id, shard.number, after))
    });
    let (stream, shard, after) = found.await?;
    let key = (arn, shard);
    let Latest { since, generation } = subscriptions.take(&key)?;
    let subscription = Subscription {
        database: database.clone(),
        written: database.written(),
        subscriptions: subscriptions.clone(),
        key,
        generation,
        stream,
        after,
        ends: since + LIFE,
        quiet_since: since,
        next: Next::InitialResponse,
    };
    Ok(unfold(subscription, |mut subscription| async move {
        let frame = subscription.next_frame().await?;
        Some((Ok(frame), subscription))
    }))
}

impl Subscription {
    async fn next_frame(&mut self) -> Option<Bytes> {
        match self.next {
            Next::InitialResponse => {
                self.next = Next::Events;
                return Some(frame::initial_response());
            }
            Next::Nothing => return None,
            Next::Events => {}
        }
        loop {
            if Instant::now() >= self.ends || !self.subscriptions.is_latest(&self.key, self.generation) {
                return None;
            }
            // Seen before reading: what is written in between wakes us.
            self.written.borrow_and_update();
            match self.read().await {
                Ok(page) => {
                    let heartbeat = self.quiet_since.elapsed() >= HEARTBEAT;
                    if !page.records.is_empty() || page.ended.is_some() || heartbeat {
                        return Some(self.event(page));
                    }
                }
                Err(failure) => {
                    self.next = Next::Nothing;
                    return Some(frame::exception(&failure));
                }
            }
            let deadline = self.ends.min(self.quiet_since + HEARTBEAT);
            // Either way we look again; a closed channel means that the database stops, and reading says so.
            let _ = tokio::time::timeout_at(deadline, self.written.changed()).await;
        }
    }

    async fn read(&self) -> Result<Page, Failure> {
        let (stream, (arn, shard), after) = (self.stream, self.key.clone(), self.after);
        let read = self.database.call(move |tx| {
            Consumer::find(tx, &arn)?;
            page(tx, stream, shard, after, MAX_RECORDS, MAX_BYTES)
        });
        read.await
    }

    fn event(&mut self, page: Page) -> Bytes {
        self.after = page.after;
        self.quiet_since = Instant::now();
        if page.ended.is_some() {
            self.next = Next::Nothing;
        }
        let continues = page.ended.is_none();
        let event = Event {
            continuation_sequence_number: continues
                .then(|| sequence::to_text(&page.stream, self.key.1, page.after)),
            millis_behind_latest: page.behind,
            child_shards: page.ended.unwrap_or_default(),
            records: page.records,
        };
        frame::event("SubscribeToShardEvent", &event)
    }
}
