//! The task that holds the subscription of one shard.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::subscribe_to_shard::{SubscribeToShardError, SubscribeToShardOutput};
use aws_sdk_kinesis::types::{
    ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use headwater::store::{Position, StoreError};
use headwater_aws::failure;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::buffer::Buffer;
use super::consumer::Consumer;
use super::limits;
use crate::feed::batch::{Answer, Batch, Verdict, behind};
use crate::feed::cursor::Cursor;
use crate::feed::incarnation::Stream;
use crate::feed::listing::Listing;
use crate::feed::open::{refusal, same};
use crate::feed::place::Place;

/// How long is waited for Kinesis. The SDK sets no deadline for either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// For the answer to a subscription.
    subscribe: Duration,
    /// For the next event. Time in which the buffer is full does not count.
    pub(super) silence: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { subscribe: limits::SUBSCRIBE_DEADLINE, silence: limits::SILENCE }
    }
}

/// What all tasks of a feed share.
#[derive(Debug, Clone)]
pub(super) struct Feeder {
    pub(super) stream: Arc<Stream>,
    pub(super) listing: Arc<Listing>,
    pub(super) consumer: Arc<Consumer>,
    pub(super) passed_over: Arc<AtomicU64>,
    pub(super) deadlines: Deadlines,
}

/// A subscription; dropping it ends its task.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) buffer: Arc<Buffer>,
    task: AbortHandle,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Feeder {
    /// Starts the task of a shard.
    pub(super) fn subscribe(&self, place: Place, position: Option<Position>) -> Subscription {
        let buffer = Arc::new(Buffer::new(position.clone()));
        let cursor = Cursor::opened(String::new(), position.clone());
        let task =
            Task { feeder: self.clone(), buffer: Arc::clone(&buffer), place, position, cursor, vain: 0 };
        Subscription { buffer, task: tokio::spawn(task.run()).abort_handle() }
    }
}

struct Task {
    feeder: Feeder,
    buffer: Arc<Buffer>,
    place: Place,
    /// Behind this everything is still to be pushed.
    position: Option<Position>,
    /// Its iterator is what Kinesis said to go on from; empty when it has said nothing yet.
    cursor: Cursor,
    /// Tries that did not come to a subscription, one after the other.
    vain: u32,
}

/// How a subscription went.
enum End {
    /// Events came, and then no more. That is so every five minutes.
    Closed,
    /// It did not come about, or broke. Readers are told when it happens again and again.
    Failed(StoreError),
    /// It must be told at once, and may pass.
    Blocked(StoreError),
    /// It must be told at once, and will not pass.
    Refused(StoreError),
    /// The shard has ended.
    Shard,
    /// Nobody reads.
    Unread,
}

impl Task {
    async fn run(mut self) {
        loop {
            self.buffer.wanted().await;
            let again = Instant::now() + limits::RESUBSCRIBE_PAUSE;
            match Box::pin(self.hold()).await {
                End::Closed => {}
                End::Failed(error) => {
                    self.vain += 1;
                    let (partition, vain) = (&self.place.partition, self.vain);
                    tracing::debug!(%partition, vain, %error, "a subscription failed");
                    if vain >= limits::TRIES {
                        self.buffer.tell(error);
                    }
                }
                End::Blocked(error) => self.buffer.tell(error),
                End::Refused(error) => {
                    self.buffer.tell(error);
                    return self.buffer.finish();
                }
                End::Shard => return self.feeder.listing.forget().await,
                End::Unread => return self.buffer.discard(),
            }
            sleep_until(again).await;
        }
    }

    /// Subscribes, and receives until there is nothing more.
    async fn hold(&mut self) -> End {
        let consumer = match self.feeder.consumer.arn().await {
            Ok(consumer) => consumer,
            Err(error) => return End::Failed(error),
        };
        // The name of the shard alone does not tell one life of the stream from another.
        if let Err(error) = same(&self.feeder.stream, &self.place, crate::feed::limits::INCARNATION_AGE).await
        {
            return End::about(error);
        }
        let request = self.feeder.stream.client.subscribe_to_shard().consumer_arn(consumer);
        let request = request.shard_id(&*self.place.shard).starting_position(self.begin()).send();
        let mut output = match timeout(self.feeder.deadlines.subscribe, request).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return self.not_subscribed(error).await,
            Err(_) => {
                return End::Failed(self.feeder.stream.unusable("SubscribeToShard was not answered in time"));
            }
        };
        self.vain = 0;
        self.receive(&mut output).await
    }

    async fn receive(&mut self, output: &mut SubscribeToShardOutput) -> End {
        loop {
            if !self.buffer.room().await {
                return End::Unread;
            }
            match timeout(self.feeder.deadlines.silence, output.event_stream.recv()).await {
                Ok(Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event)))) => {
                    if let Some(end) = self.accept(event).await {
                        return end;
                    }
                }
                // An event of a kind that is not known yet says at least that the connection lives.
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return End::Closed,
                Ok(Err(error)) => {
                    let attempted = format!("receive partition {}", self.place.partition);
                    return End::Failed(StoreError::Unavailable { attempted, source: Box::new(error) });
                }
                Err(_) => return End::Failed(self.feeder.stream.unusable("a subscription fell silent")),
            }
        }
    }

    async fn accept(&mut self, event: SubscribeToShardEvent) -> Option<End> {
        let answer = Answer::from(event);
        if answer.ends_without_children() {
            match self.feeder.listing.shards(&self.feeder.stream, Duration::ZERO).await {
                Ok(shards) if shards.closed(&self.place.shard) => {}
                Ok(_) => return Some(End::Failed(self.feeder.stream.unusable("an open shard has ended"))),
                Err(error) => return Some(End::Failed(error)),
            }
        }
        let (cursor, since) = (self.cursor.clone(), Instant::now());
        let batch = Batch { place: &self.place, position: self.position.as_ref(), cursor, since };
        match batch.judge(answer, &self.feeder.passed_over) {
            Ok(Verdict { read, cursor }) => {
                self.position.clone_from(&read.next);
                let ended = read.ended;
                self.buffer.push(read);
                self.buffer.is_behind(cursor.as_ref().and_then(|cursor| cursor.behind));
                match cursor {
                    Some(cursor) => {
                        self.cursor = cursor;
                        None
                    }
                    None if ended => Some(End::Shard),
                    None => {
                        self.restart();
                        Some(End::Closed)
                    }
                }
            }
            Err(error) => {
                self.restart();
                Some(End::about(error))
            }
        }
    }

    /// What an unsuccessful subscription says about the place.
    async fn not_subscribed(&mut self, error: SdkError<SubscribeToShardError, HttpResponse>) -> End {
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().unwrap_or("no reason given").to_owned();
        let attempted = format!("subscribe to partition {}", self.place.partition);
        let stream = &self.feeder.stream;
        let other: StoreError = failure(error, attempted, &stream.resource()).into();
        if code == "ResourceNotFoundException" {
            // That may be the consumer as well as the shard.
            self.feeder.consumer.forget().await;
            match self.feeder.listing.shards(stream, Duration::ZERO).await {
                Ok(shards) if shards.partitions.iter().any(|found| found.id == self.place.partition) => {
                    return End::Failed(other);
                }
                Ok(_) => {}
                Err(error) => return End::Failed(error),
            }
        } else if !self.cursor.iterator.is_empty() {
            // Perhaps it is what Kinesis itself named that it does not know any more. Another error says nothing about
            // the place, and what Kinesis named is worth keeping: the last record may be gone by now.
            if matches!(code.as_str(), "InvalidArgumentException" | "ValidationException") {
                self.restart();
            }
            return End::Failed(other);
        }
        match refusal(stream, &self.place, self.position.as_ref(), &code, &message).await {
            Ok(Some(refused)) => End::about(refused),
            Ok(None) => End::Failed(other),
            Err(error) => End::about(error),
        }
    }

    fn begin(&mut self) -> StartingPosition {
        if self.cursor.since.elapsed() >= limits::CONTINUATION_LIFE || self.cursor.anchor.is_some() {
            self.restart();
        }
        let (kind, sequence) = match (self.cursor.iterator.as_str(), &self.position) {
            ("", None) => (ShardIteratorType::TrimHorizon, None),
            ("", Some(position)) => (ShardIteratorType::AtSequenceNumber, Some(position.to_string())),
            (continuation, _) => (ShardIteratorType::AfterSequenceNumber, Some(continuation.to_owned())),
        };
        let position = StartingPosition::builder().r#type(kind).set_sequence_number(sequence);
        position.build().expect("the type is given")
    }

    /// The next subscription begins at the last record, and shows that it is still there.
    fn restart(&mut self) {
        let missed = self.cursor.missed;
        self.cursor = Cursor { missed, ..Cursor::opened(String::new(), self.position.clone()) };
    }
}

impl End {
    /// A position that is refused stays so; anything else may pass.
    fn about(error: StoreError) -> Self {
        match error {
            StoreError::Position { .. } => Self::Refused(error),
            error => Self::Blocked(error),
        }
    }
}

impl From<SubscribeToShardEvent> for Answer {
    fn from(event: SubscribeToShardEvent) -> Self {
        // The last event of a shard names nothing to go on from.
        let next = Some(event.continuation_sequence_number).filter(|next| !next.is_empty());
        let children = event.child_shards.is_some_and(|children| !children.is_empty());
        let (millis, records) = (event.millis_behind_latest, event.records);
        Self { records, next, tip: millis == 0, behind: behind(Some(millis)), children }
    }
}
