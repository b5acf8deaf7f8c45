//! Nudges: what this process publishes wakes its own readers, so that they do not have to wait for the next poll.
//!
//! A nudge is a hint. One that is forgotten costs a reader no more than the pause between two polls.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use headwater::store::Position;
use tokio::sync::watch;

use super::limits;

/// The highest sequence number that was published to each shard by this process.
#[derive(Debug, Default)]
pub(crate) struct Nudges {
    shards: Mutex<HashMap<String, watch::Sender<Option<Position>>>>,
}

impl Nudges {
    /// A record was published: readers of the shard that have not come so far wake up.
    pub(crate) fn published(&self, shard: &str, sequence: &str) {
        let mut shards = self.shards();
        let Some(highest) = remembered(&mut shards, shard) else { return };
        let position = Position(sequence.into());
        // Answers to requests that were in flight together may come in any order.
        highest.send_if_modified(|highest| {
            let higher = highest.as_ref().is_none_or(|highest| *highest < position);
            if higher {
                *highest = Some(position);
            }
            higher
        });
    }

    /// Waits until something above a position was published to a shard; at once when it was before this call.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(crate) async fn above(&self, shard: &str, position: Option<&Position>) {
        let subscribed = remembered(&mut self.shards(), shard).map(|highest| highest.subscribe());
        if let Some(mut highest) = subscribed {
            let above = |highest: &Option<Position>| highest.is_some() && highest.as_ref() > position;
            if highest.wait_for(above).await.is_ok() {
                return;
            }
        }
        // There is no room to remember this shard: its reader goes by the pauses between polls alone.
        std::future::pending().await
    }

    fn shards(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Option<Position>>>> {
        self.shards.lock().expect("no code panics while it holds this lock")
    }
}

/// What is remembered of a shard. When there is no room, shards that nobody waits for are forgotten.
fn remembered<'a>(
    shards: &'a mut HashMap<String, watch::Sender<Option<Position>>>,
    shard: &str,
) -> Option<&'a watch::Sender<Option<Position>>> {
    if !shards.contains_key(shard) {
        if shards.len() >= limits::NUDGED_SHARDS {
            shards.retain(|_, highest| highest.receiver_count() > 0);
        }
        if shards.len() >= limits::NUDGED_SHARDS {
            return None;
        }
        shards.insert(shard.to_owned(), watch::Sender::new(None));
    }
    shards.get(shard)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;

    fn at(sequence: &str) -> Position {
        Position(sequence.into())
    }

    #[tokio::test]
    async fn a_nudge_before_the_wait_is_not_lost() {
        let nudges = Nudges::default();
        nudges.published("a", "10");
        nudges.above("a", None).await;
        nudges.above("a", Some(&at("9"))).await;
        assert!(nudges.above("a", Some(&at("10"))).now_or_never().is_none());
        assert!(nudges.above("b", None).now_or_never().is_none(), "another shard has no nudge");
    }

    #[tokio::test]
    async fn a_nudge_during_the_wait_wakes() {
        let nudges = Arc::new(Nudges::default());
        for round in 0..100 {
            let position = (round > 0).then(|| at(&round.to_string()));
            let publisher = Arc::clone(&nudges);
            let published = tokio::spawn(async move { publisher.published("a", &(round + 1).to_string()) });
            let woken = nudges.above("a", position.as_ref());
            tokio::time::timeout(Duration::from_secs(10), woken).await.unwrap();
            published.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_late_answer_does_not_lower_what_is_known() {
        let nudges = Nudges::default();
        nudges.published("a", "10");
        nudges.published("a", "9");
        nudges.above("a", Some(&at("9"))).await;
    }

    #[tokio::test]
    async fn the_number_of_shards_remembered_is_bounded_and_those_waited_for_stay() {
        let nudges = Nudges::default();
        let mut waited = Box::pin(nudges.above("waited", None));
        assert!((&mut waited).now_or_never().is_none());
        for shard in 0..limits::NUDGED_SHARDS * 2 {
            nudges.published(&shard.to_string(), "1");
        }
        assert!(nudges.shards().len() <= limits::NUDGED_SHARDS);
        nudges.published("waited", "1");
        waited.await;
    }
}
