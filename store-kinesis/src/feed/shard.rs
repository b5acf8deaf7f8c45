//! What is kept of each shard between two calls: its pace and its cursors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use headwater::store::{PartitionId, Position};
use tokio::time::Instant;

use super::cursor::{Cursor, Cursors};
use super::limits;
use super::pace::Pace;

/// One shard.
#[derive(Debug)]
pub(super) struct Shard {
    /// Turns of GetRecords.
    pub(super) reads: Pace,
    /// Turns of GetShardIterator, which has a limit of its own.
    pub(super) openings: Pace,
    /// Whether the last answer was so large that AWS throttles what follows.
    large: AtomicBool,
    cursors: Mutex<Cursors>,
}

impl Shard {
    fn new(per_second: u32) -> Self {
        let (reads, openings) = (Pace::new(per_second), Pace::new(per_second));
        Self { reads, openings, large: AtomicBool::new(false), cursors: Mutex::default() }
    }

    /// So many bytes came.
    pub(super) fn read_bytes(&self, bytes: usize) {
        self.large.store(bytes >= limits::LARGE_BYTES, Ordering::Relaxed);
    }

    /// AWS throttles: the shard is left alone for as long as this says.
    pub(super) fn throttled(&self) -> Duration {
        let large = self.large.load(Ordering::Relaxed);
        let pause = if large { limits::LARGE_PAUSE } else { limits::THROTTLED_PAUSE };
        self.reads.pause(pause);
        pause
    }

    pub(super) fn cursor(&self, position: Option<&Position>) -> Option<Cursor> {
        self.cursors().get(position).cloned()
    }

    /// When the next look behind a position is due; `None` when at once.
    pub(super) fn due(&self, position: Option<&Position>) -> Option<Instant> {
        self.cursors().get(position)?.due()
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().expect("no code panics while it holds this lock")
    }
}

/// The shards that are read.
#[derive(Debug)]
pub(super) struct Shards {
    per_second: u32,
    known: Mutex<HashMap<PartitionId, Arc<Shard>>>,
}

impl Shards {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, known: Mutex::default() }
    }

    /// What is kept of a shard. When there is no room, what nobody uses at the moment is forgotten.
    pub(super) fn get(&self, partition: &PartitionId) -> Arc<Shard> {
        let mut known = self.known.lock().expect("no code panics while it holds this lock");
        if let Some(shard) = known.get(partition) {
            return Arc::clone(shard);
        }
        if known.len() >= limits::SHARDS {
            known.retain(|_, shard| Arc::strong_count(shard) > 1);
        }
        let shard = Arc::new(Shard::new(self.per_second));
        known.insert(partition.clone(), Arc::clone(&shard));
        shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_number_of_shards_kept_is_bounded_and_one_in_use_stays() {
        let shards = Shards::new(1);
        let id = |number: usize| PartitionId(number.to_string().into());
        let used = shards.get(&id(0));
        for number in 0..limits::SHARDS * 2 {
            let _unused = shards.get(&id(number));
        }
        assert!(shards.known.lock().unwrap().len() <= limits::SHARDS);
        assert!(Arc::ptr_eq(&used, &shards.get(&id(0))));
    }
}
