//! The feed itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use headwater::store::{Behind, FeedBatch, Partition, PartitionId, Position, StoreError};
use headwater::{EventFeed, Timestamp};

use super::fanout::FanOut;
use super::incarnation::Stream;
use super::limits;
use super::listing::Listing;
use super::nudges::Nudges;
use super::place::Place;
use super::polling::Polling;
use crate::{Config, Delivery};

/// The feed of a store on AWS. See [`feed`](crate::feed) for what its positions and errors mean.
#[derive(Debug)]
pub struct KinesisFeed {
    stream: Arc<Stream>,
    listing: Arc<Listing>,
    polling: Polling,
    fan_out: Option<FanOut>,
    passed_over: Arc<AtomicU64>,
}

impl KinesisFeed {
    /// The feed of a configuration. Nothing is sent before somebody reads.
    pub(crate) fn new(client: &Client, config: &Config, nudges: Arc<Nudges>) -> Self {
        let stream = Arc::new(Stream::new(config.reading.kinesis(client), config.stream()));
        let listing = Arc::new(Listing::default());
        let passed_over = Arc::new(AtomicU64::new(0));
        let (of, list) = (Arc::clone(&stream), Arc::clone(&listing));
        let polling = Polling::new(of, list, nudges, &config.reading, config.reads_per_second);
        let fan_out = match &config.delivery {
            Delivery::Polling => None,
            Delivery::FanOut { consumer } => {
                let (of, list) = (Arc::clone(&stream), Arc::clone(&listing));
                Some(FanOut::new(of, list, consumer.clone(), Arc::clone(&passed_over)))
            }
        };
        Self { stream, listing, polling, fan_out, passed_over }
    }

    /// The same, with subscriptions that are given up after a shorter silence.
    #[cfg(test)]
    pub(super) fn with_silence(mut self, silence: Duration) -> Self {
        self.fan_out.as_mut().expect("the test reads by fan-out").set_silence(silence);
        self
    }

    /// How many records this feed has passed over because they were no commits. Other programs must not write to the
    /// stream; the log names each of them.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over.load(Ordering::Relaxed)
    }

    async fn read(
        &self,
        place: &Place,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        if let Some(fan_out) = &self.fan_out
            && let Some(batch) = fan_out.read(place, position, limit)?
        {
            return Ok(batch);
        }
        self.polling.read(place, position, limit, &self.passed_over).await
    }
}

#[async_trait]
impl EventFeed for KinesisFeed {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        Ok(self.listing.shards(&self.stream, limits::LISTING_AGE).await?.partitions)
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let place = Place::parse(partition)?;
        position.map_or(Ok(()), |position| place.sequence(position))?;
        if limit == 0 {
            return Ok(FeedBatch { next: position.cloned(), ..FeedBatch::default() });
        }
        let read = self.read(&place, position, limit).await;
        if matches!(read, Err(StoreError::Position { .. })) {
            // Who asks next what partitions there are hears of those that have come in place of this one.
            self.listing.forget().await;
        }
        read
    }

    async fn read_since(
        &self,
        partition: &PartitionId,
        since: Timestamp,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let place = Place::parse(partition)?;
        if limit == 0 {
            return Ok(FeedBatch::default());
        }
        self.polling.read_since(&place, since, limit, &self.passed_over).await
    }

    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration) {
        // A partition or position that is not of this feed is for `read_after` to refuse, at once.
        let Ok(place) = Place::parse(partition) else { return };
        if let Some(fan_out) = &self.fan_out
            && fan_out.wait(&place, position, timeout).await
        {
            return;
        }
        self.polling.wait(&place, position, timeout).await;
    }

    fn behind(&self, partition: &PartitionId, position: Option<&Position>) -> Behind {
        let Ok(place) = Place::parse(partition) else { return Behind::default() };
        let time = match &self.fan_out {
            Some(fan_out) => fan_out.behind(&place, position),
            None => self.polling.behind(&place, position),
        };
        Behind { time, records: time.filter(Duration::is_zero).map(|_| 0) }
    }
}
