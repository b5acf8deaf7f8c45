//! Reading shards by asking again and again.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::get_records::GetRecordsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use headwater::Timestamp;
use headwater::store::{FeedBatch, Position, StoreError};
use headwater_aws::{Failure, Settings, failure};
use tokio::time::Instant;

use super::batch::{Answer, Batch, Verdict};
use super::cursor::Cursor;
use super::incarnation::Stream;
use super::limits;
use super::listing::Listing;
use super::nudges::Nudges;
use super::open::{open, open_at};
use super::place::Place;
use super::shard::{Shard, Shards};

/// Reads shards by GetRecords.
#[derive(Debug)]
pub(super) struct Polling {
    stream: Arc<Stream>,
    listing: Arc<Listing>,
    nudges: Arc<Nudges>,
    shards: Shards,
    /// Tries once: after "too fast" a second try is in vain before a second has passed.
    once: Client,
    attempts: u32,
}

impl Polling {
    pub(super) fn new(
        stream: Arc<Stream>,
        listing: Arc<Listing>,
        nudges: Arc<Nudges>,
        settings: &Settings,
        reads_per_second: u32,
    ) -> Self {
        let mut once = settings.clone();
        once.attempts = 1;
        let once = once.kinesis(&stream.client);
        let shards = Shards::new(reads_per_second);
        Self { stream, listing, nudges, shards, once, attempts: settings.attempts }
    }

    /// See [`EventFeed::read_after`](headwater::EventFeed::read_after).
    pub(super) async fn read(
        &self,
        place: &Place,
        position: Option<&Position>,
        limit: usize,
        passed_over: &AtomicU64,
    ) -> Result<FeedBatch, StoreError> {
        let shard = self.shards.get(&place.partition);
        let mut tries = 0;
        loop {
            let kept = shard.cursor(position);
            let cursor = match kept {
                Some(cursor) => cursor,
                None => self.open(place, &shard, position).await?,
            };
            shard.reads.turn().await;
            let since = Instant::now();
            match self.get(&cursor, limit).await {
                Ok(answer) => {
                    shard.read_bytes(answer.bytes());
                    let batch = Batch { place, position, cursor, since };
                    return self.keep(&shard, batch, answer, passed_over).await;
                }
                Err(error) => {
                    tries += 1;
                    self.recover(place, &shard, position, error, tries).await?;
                }
            }
        }
    }

    /// See [`EventFeed::read_since`](headwater::EventFeed::read_since).
    pub(super) async fn read_since(
        &self,
        place: &Place,
        since: Timestamp,
        limit: usize,
        passed_over: &AtomicU64,
    ) -> Result<FeedBatch, StoreError> {
        let shard = self.shards.get(&place.partition);
        shard.openings.turn().await;
        let mut cursor = Cursor::opened(open_at(&self.stream, place, since).await?, None);
        let mut tries = 0;
        for _ in 0..limits::SINCE_ANSWERS {
            shard.reads.turn().await;
            let asked = Instant::now();
            let answer = match self.get(&cursor, limit).await {
                Ok(answer) => answer,
                Err(error) => {
                    tries += 1;
                    self.recover(place, &shard, None, error, tries).await?;
                    continue;
                }
            };
            shard.read_bytes(answer.bytes());
            if answer.ends_without_children() {
                let shards = self.listing.shards(&self.stream, Duration::ZERO).await?;
                if !shards.closed(&place.shard) {
                    return Err(self.stream.unusable("an open shard has ended: asking again helps"));
                }
            }
            let tip = answer.tip;
            let batch = Batch { place, position: None, cursor, since: asked };
            let Verdict { read, cursor: behind } = batch.judge(answer, passed_over)?;
            let Some(behind) = behind else { return Ok(read) };
            if let Some(next) = &read.next {
                shard.cursors().put(Some(next.clone()), behind);
                return Ok(read);
            }
            // An iterator by time has no position to be kept under until a record came.
            if tip {
                return Ok(read);
            }
            cursor = behind;
        }
        Ok(FeedBatch::default())
    }

    /// See [`EventFeed::wait`](headwater::EventFeed::wait).
    pub(super) async fn wait(&self, place: &Place, position: Option<&Position>, timeout: Duration) {
        // Where nothing was read yet there may be something.
        let Some(due) = self.shards.get(&place.partition).due(position) else { return };
        let pause = due.saturating_duration_since(Instant::now()).min(timeout);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.nudges.above(&place.shard, position) => {}
        }
    }

    /// How far the last answer behind a position was behind the tip of its shard.
    pub(super) fn behind(&self, place: &Place, position: Option<&Position>) -> Option<Duration> {
        self.shards.get(&place.partition).cursor(position)?.behind
    }

    async fn open(
        &self,
        place: &Place,
        shard: &Shard,
        position: Option<&Position>,
    ) -> Result<Cursor, StoreError> {
        shard.openings.turn().await;
        let iterator = open(&self.stream, place, position).await?;
        let cursor = Cursor::opened(iterator, position.cloned());
        shard.cursors().put(position.cloned(), cursor.clone());
        Ok(cursor)
    }

    async fn get(
        &self,
        cursor: &Cursor,
        limit: usize,
    ) -> Result<Answer, SdkError<GetRecordsError, HttpResponse>> {
        // The record at the position itself comes first and is not handed out.
        let limit = limit.saturating_add(usize::from(cursor.anchor.is_some())).min(limits::BATCH);
        let limit = i32::try_from(limit).expect("the largest batch fits");
        let request = self.once.get_records().shard_iterator(&cursor.iterator).limit(limit);
        request.send().await.map(Answer::from)
    }

    async fn keep(
        &self,
        shard: &Shard,
        batch: Batch<'_>,
        answer: Answer,
        passed_over: &AtomicU64,
    ) -> Result<FeedBatch, StoreError> {
        let position = batch.position;
        if answer.ends_without_children() {
            // The last answer of a shard names its children. One that does not is believed when the list agrees.
            let shards = self.listing.shards(&self.stream, Duration::ZERO).await?;
            if !shards.closed(&batch.place.shard) {
                shard.cursors().forget(position);
                return Err(self.stream.unusable("an open shard has ended: asking again helps"));
            }
        }
        match batch.judge(answer, passed_over) {
            Ok(Verdict { read, cursor }) => {
                if read.ended {
                    self.listing.forget().await;
                }
                let mut cursors = shard.cursors();
                if read.next.as_ref() != position {
                    cursors.passed(position);
                }
                match cursor {
                    Some(cursor) => cursors.put(read.next.clone(), cursor),
                    None => cursors.forget(read.next.as_ref()),
                }
                Ok(read)
            }
            Err(error) => {
                shard.cursors().forget(position);
                Err(error)
            }
        }
    }

    /// Makes the next try possible, or says that there is none.
    async fn recover(
        &self,
        place: &Place,
        shard: &Shard,
        position: Option<&Position>,
        error: SdkError<GetRecordsError, HttpResponse>,
        tries: u32,
    ) -> Result<(), StoreError> {
        match error.code() {
            // The iterator is too old, or Kinesis does not know its own iterator any more: another one may do.
            Some("ExpiredIteratorException" | "InvalidArgumentException") => {
                shard.cursors().forget(position);
                if tries < limits::TRIES {
                    return Ok(());
                }
            }
            Some("ResourceNotFoundException") => {
                shard.cursors().forget(position);
                let incarnation = self.stream.incarnation(Duration::ZERO).await?;
                return Err(if incarnation.created == place.created {
                    place.unknown(&self.stream.name)
                } else {
                    place.remade(&self.stream.name, incarnation.created)
                });
            }
            _ => {}
        }
        match failure(error, format!("read partition {}", place.partition), &self.stream.resource()) {
            Failure::Busy { reason } => {
                let pause = shard.throttled();
                tracing::debug!(partition = %place.partition, ?pause, reason, "reading is throttled");
                if tries < limits::TRIES {
                    return Ok(());
                }
                Err(StoreError::Overloaded { reason, retry_after: Some(pause) })
            }
            _ if tries < self.attempts => Ok(()),
            failure => Err(failure.into()),
        }
    }
}
