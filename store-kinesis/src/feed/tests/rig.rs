//! A stream, its feed, and a wire between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{Shard, StreamStatus};
use headwater::store::{Append, FeedBatch, FeedRecord, PartitionId, Position, StoreError};
use headwater::{EventData, EventFeed, Expected, StreamName, Version};
use headwater_aws::testing::{self, Wire};
use headwater_local::{Local, Options};

use crate::feed::KinesisFeed;
use crate::feed::nudges::Nudges;
use crate::record;
use crate::{Config, Delivery};

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Rig {
    /// Kept, because it ends when dropped.
    _local: Local,
    pub(super) wire: Wire,
    /// A client beside the wire.
    pub(super) client: Client,
    pub(super) config: Config,
    pub(super) nudges: Arc<Nudges>,
    pub(super) feed: Arc<KinesisFeed>,
    wired: Client,
}

impl Rig {
    /// A stream of so many shards, and its feed, which reads as fast as it likes.
    pub(super) async fn new(shards: i32) -> Self {
        Self::with(shards, |config| config.reads_per_second = 1000).await
    }

    pub(super) async fn with(shards: i32, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::on(Options::default(), shards, adjust).await
    }

    /// A stream stays CREATING for long enough to be seen so.
    pub(super) async fn slow() -> Self {
        let mut options = Options::default();
        options.transition = Duration::from_secs(1);
        Self::on(options, 0, |_| {}).await
    }

    async fn on(options: Options, shards: i32, adjust: impl FnOnce(&mut Config)) -> Self {
        let local = Local::start(options).await.unwrap();
        let wire = Wire::default();
        let (plain, wired) = (testing::kinesis(local.kinesis_url()), wire.kinesis(local.kinesis_url()));
        let mut config = Config::new("test");
        adjust(&mut config);
        let nudges = Arc::new(Nudges::default());
        let feed = Arc::new(KinesisFeed::new(&wired, &config, Arc::clone(&nudges)));
        let rig = Self { _local: local, wire, client: plain, config, nudges, feed, wired };
        if shards > 0 {
            rig.create(shards).await;
        }
        rig
    }

    /// The same, with records that are pushed.
    pub(super) async fn fan_out(shards: i32) -> Self {
        Self::with(shards, |config| {
            config.reads_per_second = 1000;
            config.delivery = Delivery::FanOut { consumer: "app".to_owned() };
        })
        .await
    }

    /// Another feed of the same stream, that knows nothing yet.
    pub(super) fn another(&self) -> KinesisFeed {
        KinesisFeed::new(&self.wired, &self.config, Arc::new(Nudges::default()))
    }

    pub(super) async fn create(&self, shards: i32) {
        self.client
            .create_stream()
            .stream_name(self.config.stream())
            .shard_count(shards)
            .send()
            .await
            .unwrap();
        self.active().await;
    }

    /// Deletes the stream and makes it anew.
    pub(super) async fn remake(&self, shards: i32) {
        self.client.delete_stream().stream_name(self.config.stream()).send().await.unwrap();
        self.create(shards).await;
    }

    pub(super) async fn active(&self) {
        loop {
            let look = self.client.describe_stream_summary().stream_name(self.config.stream()).send().await;
            if look.unwrap().stream_description_summary.unwrap().stream_status == StreamStatus::Active {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn shards(&self) -> Vec<Shard> {
        let shards = self.client.list_shards().stream_name(self.config.stream()).send().await;
        shards.unwrap().shards.unwrap()
    }

    /// Puts the commit of a version of a stream; the answer has its shard and sequence number.
    pub(super) async fn put(&self, stream: &str, version: u64) -> (String, Position) {
        let payload = format!("{{\"number\":{version}}}");
        self.put_payload(stream, version, payload.into_bytes()).await
    }

    pub(super) async fn put_payload(
        &self,
        stream: &str,
        version: u64,
        payload: Vec<u8>,
    ) -> (String, Position) {
        let event = EventData { name: "Noted".into(), schema: 1, payload: payload.into() };
        let stream = StreamName::new("test", stream).unwrap();
        let commit = Append::new(stream.clone(), Expected::Any, vec![event]).into_commit(Version(version));
        self.put_bytes(stream.as_str(), record::encode(&commit, false)).await
    }

    pub(super) async fn put_bytes(&self, key: &str, bytes: Vec<u8>) -> (String, Position) {
        let put = self.client.put_record().stream_name(self.config.stream()).partition_key(key);
        let answer = put.data(Blob::new(bytes)).send().await.unwrap();
        (answer.shard_id, Position(answer.sequence_number.into()))
    }

    /// The partition of the first shard.
    pub(super) async fn partition(&self) -> PartitionId {
        self.feed.partitions().await.unwrap()[0].id.clone()
    }

    pub(super) async fn read(
        &self,
        at: &PartitionId,
        after: Option<&Position>,
    ) -> Result<FeedBatch, StoreError> {
        self.feed.read_after(at, after, 100).await
    }

    /// Reads until so many records came or the partition ended.
    pub(super) async fn drain(
        &self,
        at: &PartitionId,
        after: Option<&Position>,
        limit: usize,
        count: usize,
    ) -> FeedBatch {
        drain(&*self.feed, at, after, limit, count).await
    }
}

pub(super) async fn drain(
    feed: &dyn EventFeed,
    at: &PartitionId,
    after: Option<&Position>,
    limit: usize,
    count: usize,
) -> FeedBatch {
    let mut all = FeedBatch { next: after.cloned(), ..FeedBatch::default() };
    let reading = async {
        while all.records.len() < count && !all.ended {
            feed.wait(at, all.next.as_ref(), PATIENCE).await;
            let batch = feed.read_after(at, all.next.as_ref(), limit).await.unwrap();
            assert!(batch.records.len() <= limit, "{} records for a limit of {limit}", batch.records.len());
            all.records.extend(batch.records);
            (all.next, all.ended) = (batch.next, batch.ended);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the records come in time");
    all
}

/// The numbers of the versions.
pub(super) fn versions(records: &[FeedRecord]) -> Vec<u64> {
    records.iter().map(|record| record.commit.first.0).collect()
}

/// The versions of each stream, in the order they came.
pub(super) fn by_stream(records: &[FeedRecord]) -> BTreeMap<String, Vec<u64>> {
    let mut streams = BTreeMap::<_, Vec<_>>::new();
    for record in records {
        streams.entry(record.commit.stream.to_string()).or_default().push(record.commit.first.0);
    }
    streams
}

/// What a position error says; anything else is none.
pub(super) fn refusal(read: Result<FeedBatch, StoreError>) -> String {
    match read {
        Err(StoreError::Position { reason }) => reason,
        other => panic!("a refused position, not {other:?}"),
    }
}
