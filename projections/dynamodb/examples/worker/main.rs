//! A process that keeps two projections, for the test of several of them: one of twenty of its requests fails, and one
//! of twenty records of its feed comes twice or out of order. `worker DYNAMODB_URL KINESIS_URL PREFIX`, until killed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test process fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::EventFeed;
use headwater::store::{FeedBatch, Partition, PartitionId, Position, StoreError};
use headwater_aws::testing::{Mishap, Wire};
use headwater_projections::Runner;
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Clients, Config, KinesisStore};

mod model;

/// One of so many requests fails, and of so many records one comes twice or out of order.
const RARITY: usize = 20;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dynamodb, kinesis, prefix] = &arguments[..] else { panic!("three arguments, see the source") };
    let wire = Wire::default();
    let clients = Clients { dynamodb: wire.dynamodb(dynamodb), kinesis: wire.kinesis(kinesis) };
    let mut config = Config::new(prefix);
    config.reads_per_second = 100;
    let store = Arc::new(KinesisStore::open(&clients, &config));
    let feed = Arc::new(Disorderly { feed: store.feed() });
    let rows = Arc::new(DynamoRows::new(&clients.dynamodb, rows::Config::new(prefix)));
    let runner = Runner::new(store, feed, rows)
        .leases(Arc::new(DynamoLeases::new(&clients.dynamodb, prefix)))
        .projection::<model::Counted>()
        .and_then(Runner::projection::<model::ByEnding>)
        .unwrap();
    wire.storm(RARITY, &[Mishap::LostAnswer, Mishap::FAILED, Mishap::TOO_FAST]);
    runner.run(std::future::pending()).await.unwrap();
}

/// A feed that repeats and swaps records.
#[derive(Debug)]
struct Disorderly {
    feed: Arc<dyn EventFeed>,
}

#[async_trait]
impl EventFeed for Disorderly {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        self.feed.partitions().await
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let mut batch = self.feed.read_after(partition, position, limit).await?;
        let count = batch.records.len();
        for _ in 0..count / RARITY + usize::from(fastrand::usize(..RARITY) < count % RARITY) {
            let (one, other) = (fastrand::usize(..count), fastrand::usize(..count));
            let commit = Arc::clone(&batch.records[one].commit);
            match fastrand::bool() {
                true => {
                    let position = batch.records[other].position.clone();
                    let record = headwater::store::FeedRecord { position, commit, redelivered: true };
                    batch.records.insert(other, record);
                }
                false => {
                    let swapped = std::mem::replace(&mut batch.records[other].commit, commit);
                    batch.records[one].commit = swapped;
                }
            }
        }
        Ok(batch)
    }

    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration) {
        self.feed.wait(partition, position, timeout).await;
    }
}
