//! The tail of a partition: reads it for everybody who is at its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater::Timestamp;
use headwater::store::{EventFeed, PartitionId, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::limits::{BATCH, LONGEST_LOOK, SHORTEST_LOOK, TAIL_WAIT};
use super::place::Place;
use super::ring::Ring;

/// One partition, with its newest records.
#[derive(Debug)]
pub(super) struct Tail {
    partition: PartitionId,
    ring: Mutex<Ring>,
}

impl Tail {
    pub(super) fn new(partition: PartitionId, place: Place) -> Self {
        Self { partition, ring: Mutex::new(Ring::new(place)) }
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        // No code of others runs under this lock, so a poisoned one still holds whole data.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until the partition ends or the future is dropped; `grown` is told of everything new.
    pub(super) async fn run(self: Arc<Self>, feed: Arc<dyn EventFeed>, grown: watch::Sender<u64>) {
        let mut pause = SHORTEST_LOOK;
        loop {
            let place = self.ring().end().clone();
            match place.read(&*feed, &self.partition, BATCH).await {
                Ok(batch) => {
                    let empty = batch.records.is_empty();
                    let moved = batch.next.as_ref() != place.position();
                    let news = !empty || batch.ended || moved || !self.ring().was_asked();
                    self.ring().push(batch);
                    if news {
                        grown.send_modify(|count| *count += 1);
                    }
                    if self.ring().is_ended() {
                        return;
                    }
                    if !empty {
                        pause = SHORTEST_LOOK;
                        continue;
                    }
                    let end = self.ring().end().clone();
                    pause = self.wait(&*feed, &end, pause).await;
                }
                Err(StoreError::Position { reason }) => {
                    // What was read cannot be joined to what is there. Whoever stood there is told when he reads himself.
                    tracing::warn!(partition = %self.partition, reason, "the tail of the feed begins anew");
                    *self.ring() = Ring::new(Place::Since(Timestamp::now()));
                    grown.send_modify(|count| *count += 1);
                    pause = grow(pause).await;
                }
                Err(error) => {
                    tracing::warn!(partition = %self.partition, %error, "the tail of the feed cannot be read for now");
                    pause = grow(pause).await;
                }
            }
        }
    }

    /// Waits for something new. Where no position is known, a feed may have nothing to wait by and return at once.
    async fn wait(&self, feed: &dyn EventFeed, end: &Place, pause: Duration) -> Duration {
        let begin = Instant::now();
        feed.wait(&self.partition, end.position(), TAIL_WAIT).await;
        if end.position().is_none() && begin.elapsed() < SHORTEST_LOOK {
            return grow(pause).await.min(TAIL_WAIT);
        }
        SHORTEST_LOOK
    }
}

async fn grow(pause: Duration) -> Duration {
    tokio::time::sleep(pause).await;
    (pause * 2).min(LONGEST_LOOK)
}
