//! A partition being read: batch after batch, each into every projection before the position moves on (L7).

use std::sync::Arc;

use futures::future::join_all;
use headwater::store::{PartitionId, StoreError};
use headwater::{Commit, EventFeed};
use tokio::sync::Mutex;

use super::RunError;
use super::backoff::{Backoff, Stop};
use super::lane::Lane;
use super::limits::{BATCH_RECORDS, IDLE_WAIT};

/// What the task of one partition owns.
pub(super) struct Reader {
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) partition: PartitionId,
    pub(super) lanes: Vec<(&'static str, Arc<Mutex<dyn Lane>>)>,
    pub(super) stop: Stop,
}

impl Reader {
    /// Reads until the partition ends, and answers with its id then, or until a stop is asked for.
    pub(super) async fn read(self) -> Result<Option<PartitionId>, RunError> {
        let Self { feed, partition, lanes, stop } = self;
        let mut position = None;
        let mut backoff = Backoff::default();
        while !stop.is_requested() {
            let batch = match feed.read_after(&partition, position.as_ref(), BATCH_RECORDS).await {
                Ok(batch) => batch,
                Err(source @ StoreError::Position { .. }) => {
                    return Err(RunError::Position { partition, source });
                }
                Err(error) => {
                    tracing::warn!(%partition, error = %error, "the feed cannot be read, trying again");
                    backoff.pause_or_stop(&stop).await;
                    continue;
                }
            };
            backoff = Backoff::default();
            let idle = batch.records.is_empty();
            let commits: Arc<[_]> = batch.records.into_iter().map(|record| record.commit).collect();
            let carried = lanes.iter().map(|(name, lane)| carry(name, lane, &commits, &stop));
            if !idle && !join_all(carried).await.into_iter().all(|done| done) {
                break;
            }
            position = batch.next.or(position);
            if batch.ended {
                return Ok(Some(partition));
            }
            if idle {
                tokio::select! {
                    () = feed.wait(&partition, position.as_ref(), IDLE_WAIT) => {}
                    () = stop.requested() => {}
                }
            }
        }
        Ok(None)
    }
}

/// Brings a batch into the rows of one projection, however often it takes; `false` if a stop came first.
async fn carry(
    projection: &'static str,
    lane: &Mutex<dyn Lane>,
    commits: &[Arc<Commit>],
    stop: &Stop,
) -> bool {
    let mut backoff = Backoff::default();
    loop {
        let carried = lane.lock().await.carry(commits).await;
        match carried {
            Ok(()) => return true,
            Err(error) if error.retry_helps() => {
                tracing::warn!(projection, error = %error, "a batch is not done yet, trying again");
            }
            Err(error) => {
                tracing::error!(projection, error = %error, "a batch cannot be done, the partition waits for it");
            }
        }
        if stop.is_requested() {
            return false;
        }
        backoff.pause_or_stop(stop).await;
    }
}
