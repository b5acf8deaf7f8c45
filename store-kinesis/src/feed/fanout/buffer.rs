//! What was pushed and is not read yet: between the task that receives and whoever reads.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use headwater::store::{FeedBatch, FeedRecord, Position, StoreError};
use headwater::{Commit, EventData};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits;

/// The buffer of a shard.
#[derive(Debug)]
pub(super) struct Buffer {
    state: Mutex<State>,
    /// Something to read has come.
    filled: Notify,
    /// Somebody has read.
    drained: Notify,
}

#[derive(Debug)]
struct State {
    /// The position that the first record follows.
    front: Option<Position>,
    records: VecDeque<FeedRecord>,
    bytes: usize,
    /// The position behind all of them, and behind what was passed over.
    tail: Option<Position>,
    ended: bool,
    /// How far the tail is behind the tip of the shard.
    behind: Option<Duration>,
    /// What the reader is to be told once the records are read.
    trouble: Option<StoreError>,
    /// Nothing more will come: a new subscription is needed.
    over: bool,
    /// When somebody read or stopped waiting last.
    read: Instant,
    /// How many wait at the moment.
    waiting: usize,
}

/// Somebody who waits, also when they give up.
struct Waiting<'a>(&'a Buffer);

/// What came of reading.
#[derive(Debug)]
pub(super) enum Taken {
    /// This.
    Batch(FeedBatch),
    /// The position is not at the front, nor in the buffer.
    Elsewhere,
    /// The task has ended.
    Over,
}

impl Buffer {
    /// An empty buffer behind a position.
    pub(super) fn new(front: Option<Position>) -> Self {
        let state = State {
            tail: front.clone(),
            front,
            records: VecDeque::new(),
            bytes: 0,
            ended: false,
            behind: None,
            trouble: None,
            over: false,
            read: Instant::now(),
            waiting: 0,
        };
        Self { state: Mutex::new(state), filled: Notify::new(), drained: Notify::new() }
    }

    /// Takes at most so many records behind a position.
    pub(super) fn take(&self, position: Option<&Position>, limit: usize) -> Result<Taken, StoreError> {
        let mut state = self.state();
        if !state.go_to(position) {
            return Ok(if state.over { Taken::Over } else { Taken::Elsewhere });
        }
        state.read = Instant::now();
        self.drained.notify_waiters();
        if state.records.is_empty()
            && let Some(trouble) = state.trouble.take()
        {
            return Err(trouble);
        }
        if state.records.is_empty() && state.over && !state.ended {
            return Ok(Taken::Over);
        }
        let count = limit.min(state.records.len());
        let records: Vec<_> = state.records.drain(..count).collect();
        state.bytes = state.bytes.saturating_sub(records.iter().map(bytes).sum());
        let last = records.last().map(|record| record.position.clone());
        let done = state.records.is_empty();
        state.front = if done { state.tail.clone() } else { last.or_else(|| state.front.clone()) };
        let (next, ended) = (state.front.clone(), state.ended && done);
        Ok(Taken::Batch(FeedBatch { records, next, ended }))
    }

    /// Waits until there is something to read behind a position; `false` when it is not in the buffer.
    pub(super) async fn filled(&self, position: Option<&Position>) -> bool {
        let _waiting = Waiting::new(self);
        loop {
            // Registered before the buffer is looked at: what comes in between is not missed.
            let filled = self.filled.notified();
            {
                let mut state = self.state();
                if !state.go_to(position) {
                    return false;
                }
                if !state.records.is_empty() || state.front != state.tail || state.settled() {
                    return true;
                }
            }
            filled.await;
        }
    }

    /// Puts in what was read of the shard.
    pub(super) fn push(&self, batch: FeedBatch) {
        let mut state = self.state();
        state.bytes += batch.records.iter().map(bytes).sum::<usize>();
        state.records.extend(batch.records);
        state.tail = batch.next;
        state.ended = batch.ended;
        state.trouble = None;
        drop(state);
        self.filled.notify_waiters();
    }

    /// So far the tail is behind the tip of the shard.
    pub(super) fn is_behind(&self, behind: Option<Duration>) {
        self.state().behind = behind;
    }

    /// How far a position is behind the tip of the shard, if it is the tail.
    pub(super) fn behind(&self, position: Option<&Position>) -> Option<Duration> {
        let state = self.state();
        state.behind.filter(|_| state.tail.as_ref() == position)
    }

    /// Readers are told this. The task goes on, unless it says that it is over.
    pub(super) fn tell(&self, trouble: StoreError) {
        self.state().trouble = Some(trouble);
        self.filled.notify_waiters();
    }

    /// Nothing more will come.
    pub(super) fn finish(&self) {
        self.state().over = true;
        self.filled.notify_waiters();
    }

    /// Throws away what nobody reads.
    pub(super) fn discard(&self) {
        let mut state = self.state();
        state.records = VecDeque::new();
        (state.bytes, state.tail) = (0, state.front.clone());
        drop(state);
        self.finish();
    }

    /// Waits for room; `false` when nobody reads for too long.
    pub(super) async fn room(&self) -> bool {
        self.until(|state| state.bytes < limits::BUFFER_BYTES, Some(limits::UNREAD)).await
    }

    /// Waits until the shard was read lately.
    pub(super) async fn wanted(&self) {
        self.until(State::read_lately, None).await;
    }

    /// Whether the shard was read lately.
    pub(super) fn read_lately(&self) -> bool {
        self.state().read_lately()
    }

    /// Waits for something that reading brings about; `false` when there is none for so long.
    async fn until(&self, done: impl Fn(&State) -> bool, unread: Option<Duration>) -> bool {
        loop {
            let drained = self.drained.notified();
            if done(&self.state()) {
                return true;
            }
            match unread {
                None => drained.await,
                Some(unread) => {
                    if tokio::time::timeout(unread, drained).await.is_err() {
                        return false;
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl<'a> Waiting<'a> {
    fn new(buffer: &'a Buffer) -> Self {
        buffer.state().waiting += 1;
        buffer.drained.notify_waiters();
        Self(buffer)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
        state.read = Instant::now();
    }
}

impl State {
    /// Whether the position is at the front; records before it are dropped when it is further in.
    fn go_to(&mut self, position: Option<&Position>) -> bool {
        if self.front.as_ref() == position {
            return true;
        }
        let Some(at) = self.records.iter().position(|record| Some(&record.position) == position) else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(self.records.drain(..=at).map(|record| bytes(&record)).sum());
        self.front = position.cloned();
        true
    }

    fn read_lately(&self) -> bool {
        self.waiting > 0 || self.read.elapsed() < limits::READ_LATELY
    }

    fn settled(&self) -> bool {
        self.ended || self.over || self.trouble.is_some()
    }
}

/// About what a record takes in memory.
fn bytes(record: &FeedRecord) -> usize {
    let events = record.commit.events.iter().map(EventData::size_bytes).sum::<usize>();
    size_of::<FeedRecord>() + size_of::<Commit>() + events
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;
    use headwater::store::Append;
    use headwater::{Expected, StreamName, Version};

    use super::*;

    fn at(sequence: u64) -> Position {
        Position(sequence.to_string().into())
    }

    fn batch(sequences: std::ops::RangeInclusive<u64>, size: usize) -> FeedBatch {
        let next = Some(at(*sequences.end()));
        let record = |sequence| {
            let event = EventData { name: "Noted".into(), schema: 1, payload: vec![b'1'; size].into() };
            let append = Append::new(StreamName::new("a", "1").unwrap(), Expected::Any, vec![event]);
            let commit = Arc::new(append.into_commit(Version(sequence)));
            FeedRecord { position: at(sequence), commit, redelivered: false }
        };
        FeedBatch { records: sequences.map(record).collect(), next, ended: false }
    }

    fn took(buffer: &Buffer, position: Option<&Position>, limit: usize) -> (Vec<u64>, Option<Position>) {
        match buffer.take(position, limit).unwrap() {
            Taken::Batch(batch) => {
                (batch.records.iter().map(|record| record.commit.first.0).collect(), batch.next)
            }
            other => panic!("a batch, not {other:?}"),
        }
    }

    #[tokio::test]
    async fn reading_goes_on_at_the_front_and_may_leap_ahead() {
        let buffer = Buffer::new(None);
        buffer.push(batch(1..=6, 1));
        assert_eq!(took(&buffer, None, 2), (vec![1, 2], Some(at(2))));
        assert!(matches!(buffer.take(None, 2), Ok(Taken::Elsewhere)), "what was read is gone");
        assert_eq!(took(&buffer, Some(&at(4)), 1), (vec![5], Some(at(5))));
        let passed_over = FeedBatch { next: Some(at(9)), ..FeedBatch::default() };
        buffer.push(passed_over);
        assert_eq!(took(&buffer, Some(&at(6)), 10), (vec![], Some(at(9))), "what was passed over is passed");
        assert_eq!(took(&buffer, Some(&at(9)), 10), (vec![], Some(at(9))));
    }

    #[tokio::test]
    async fn trouble_is_told_after_the_records_and_once() {
        let buffer = Buffer::new(None);
        buffer.push(batch(1..=1, 1));
        buffer.tell(StoreError::Position { reason: "gone".to_owned() });
        assert_eq!(took(&buffer, None, 5).0, [1]);
        assert!(matches!(buffer.take(Some(&at(1)), 5), Err(StoreError::Position { .. })));
        assert_eq!(took(&buffer, Some(&at(1)), 5).0, Vec::<u64>::new());
        buffer.finish();
        assert!(matches!(buffer.take(Some(&at(1)), 5), Ok(Taken::Over)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_buffer_waits_for_its_reader_and_not_for_ever() {
        let buffer = Buffer::new(None);
        buffer.push(batch(1..=2, limits::BUFFER_BYTES));
        assert!(buffer.room().now_or_never().is_none());
        assert_eq!(took(&buffer, None, 1).0, [1]);
        assert!(buffer.room().now_or_never().is_none());
        assert_eq!(took(&buffer, Some(&at(1)), 1).0, [2]);
        assert!(buffer.room().await);
        buffer.push(batch(3..=3, limits::BUFFER_BYTES));
        assert!(!buffer.room().await, "nobody reads");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shard_is_wanted_while_somebody_reads_or_waits() {
        let buffer = Buffer::new(None);
        tokio::time::sleep(limits::READ_LATELY).await;
        assert!(buffer.wanted().now_or_never().is_none());
        let waiting = tokio::time::timeout(limits::READ_LATELY * 3, buffer.filled(None));
        let wanted = async {
            tokio::time::sleep(limits::READ_LATELY * 2).await;
            buffer.wanted().now_or_never()
        };
        let (waited, wanted) = tokio::join!(waiting, wanted);
        assert!(waited.is_err() && wanted.is_some());
        tokio::time::sleep(limits::READ_LATELY - Duration::from_secs(1)).await;
        assert!(buffer.read_lately(), "somebody has waited until a moment ago");
    }
}
