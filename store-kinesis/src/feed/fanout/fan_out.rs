//! The subscriptions of a feed.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use headwater::store::{FeedBatch, PartitionId, Position, StoreError};

use super::buffer::{Buffer, Taken};
use super::consumer::Consumer;
use super::subscription::{Deadlines, Feeder, Subscription};
use crate::feed;
use crate::feed::incarnation::Stream;
use crate::feed::listing::Listing;
use crate::feed::place::Place;

/// Reads shards by SubscribeToShard.
#[derive(Debug)]
pub(in crate::feed) struct FanOut {
    feeder: Feeder,
    /// One for each shard at most. When this is dropped, their tasks end.
    subscriptions: Mutex<HashMap<PartitionId, Subscription>>,
}

impl FanOut {
    pub(in crate::feed) fn new(
        stream: Arc<Stream>,
        listing: Arc<Listing>,
        consumer: String,
        passed_over: Arc<AtomicU64>,
    ) -> Self {
        let consumer = Arc::new(Consumer::new(Arc::clone(&stream), consumer));
        let feeder = Feeder { stream, listing, consumer, passed_over, deadlines: Deadlines::default() };
        Self { feeder, subscriptions: Mutex::default() }
    }

    /// The same with other deadlines.
    #[cfg(test)]
    pub(in crate::feed) fn set_silence(&mut self, silence: Duration) {
        self.feeder.deadlines.silence = silence;
    }

    /// What was pushed behind a position. `None` when that is not for this subscription to say: another reader has it.
    pub(in crate::feed) fn read(
        &self,
        place: &Place,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<Option<FeedBatch>, StoreError> {
        if let Some(buffer) = self.buffer(place) {
            match buffer.take(position, limit)? {
                Taken::Batch(batch) => return Ok(Some(batch)),
                Taken::Elsewhere if buffer.read_lately() => return Ok(None),
                // Whoever read there has gone, or nothing more comes.
                Taken::Elsewhere | Taken::Over => {}
            }
        }
        self.subscribe(place, position);
        Ok(Some(FeedBatch { next: position.cloned(), ..FeedBatch::default() }))
    }

    /// Waits for something behind a position; `false` when that is not for this subscription to say.
    pub(in crate::feed) async fn wait(
        &self,
        place: &Place,
        position: Option<&Position>,
        timeout: Duration,
    ) -> bool {
        // Without a subscription reading makes one.
        let Some(buffer) = self.buffer(place) else { return true };
        // Both outcomes mean the same to the caller: look again.
        tokio::time::timeout(timeout, buffer.filled(position)).await.unwrap_or(true)
    }

    /// How far a position is behind the tip of its shard, if everything that was pushed is read.
    pub(in crate::feed) fn behind(&self, place: &Place, position: Option<&Position>) -> Option<Duration> {
        self.buffer(place)?.behind(position)
    }

    fn buffer(&self, place: &Place) -> Option<Arc<Buffer>> {
        self.subscriptions().get(&place.partition).map(|subscription| Arc::clone(&subscription.buffer))
    }

    fn subscribe(&self, place: &Place, position: Option<&Position>) {
        let mut subscriptions = self.subscriptions();
        // The old one ends first: each shard takes one subscription of a consumer.
        subscriptions.remove(&place.partition);
        if subscriptions.len() >= feed::limits::SHARDS {
            subscriptions.retain(|_, subscription| subscription.buffer.read_lately());
        }
        let subscription = self.feeder.subscribe(place.clone(), position.cloned());
        subscriptions.insert(place.partition.clone(), subscription);
    }

    fn subscriptions(&self) -> MutexGuard<'_, HashMap<PartitionId, Subscription>> {
        self.subscriptions.lock().expect("no code panics while it holds this lock")
    }
}
