//! The feed: every shard is a partition, and a position is a place in its log, counted from 1.

use std::time::Duration;

use async_trait::async_trait;
use headwater::EventFeed;
use headwater::store::{Behind, FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};

use crate::MemoryStore;
use crate::shard::{SHARDS, Shard};

#[async_trait]
impl EventFeed for MemoryStore {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let partition = |number: usize| Partition::new(PartitionId(number.to_string().into()));
        Ok((0..SHARDS).map(partition).collect())
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let shard = self.partition(partition)?;
        let state = shard.read();
        let known = known(position, state.log().len())?;
        let unread = state.log().iter().enumerate().skip(known).take(self.page_limit(limit));
        let records: Vec<_> = unread
            .map(|(index, commit)| FeedRecord {
                position: Position((index + 1).to_string().into()),
                commit: commit.clone(),
                redelivered: false,
            })
            .collect();
        let next = records.last().map(|record| &record.position).or(position).cloned();
        Ok(FeedBatch { records, next, ended: false })
    }

    async fn wait(&self, partition: &PartitionId, position: Option<&Position>, timeout: Duration) {
        // A partition or position that is not of this feed is for `read_after` to refuse, at once.
        let Ok(shard) = self.partition(partition) else { return };
        let Ok(known) = known(position, shard.read().log().len()) else { return };
        // Both outcomes mean the same to the caller: look again.
        let _timed_out = tokio::time::timeout(timeout, shard.grown(known)).await;
    }

    fn behind(&self, partition: &PartitionId, position: Option<&Position>) -> Behind {
        let Ok(shard) = self.partition(partition) else { return Behind::default() };
        let length = shard.read().log().len();
        let records = known(position, length).ok().map(|known| (length - known) as u64);
        Behind { records, time: None }
    }
}

impl MemoryStore {
    fn partition(&self, id: &PartitionId) -> Result<&Shard, StoreError> {
        let number = whole(&id.0);
        number.and_then(|number| self.shard(number)).ok_or_else(|| StoreError::Position {
            reason: format!("partition {id} does not exist: partitions are 0 to {}", SHARDS - 1),
        })
    }
}

/// The number of a text that is written as this feed writes it: `007` is no name of partition 7.
fn whole(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number: &usize| number.to_string() == text)
}

/// How many commits of a log lie at or before a position.
fn known(position: Option<&Position>, length: usize) -> Result<usize, StoreError> {
    let Some(position) = position else { return Ok(0) };
    let known = whole(&position.0).filter(|known| (1..=length).contains(known));
    known.ok_or_else(|| StoreError::Position {
        reason: format!(
            "{position} is not in this partition: it holds 1 to {length}; start from its beginning"
        ),
    })
}
