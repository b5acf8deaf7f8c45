//! What an answer of Kinesis means: a pure function of the answer and of the place it was asked for.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::Record;
use headwater::store::{FeedBatch, Position, StoreError};
use tokio::time::Instant;

use super::cursor::Cursor;
use super::decode::{Decoded, decode};
use super::limits;
use super::place::Place;

/// An answer to GetRecords.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) records: Vec<Record>,
    /// The iterator to go on with; none at the end of a shard.
    pub(super) next: Option<String>,
    /// Whether Kinesis says that this is the tip of the shard.
    pub(super) tip: bool,
    /// How far it is behind the tip.
    pub(super) behind: Option<Duration>,
    /// Whether it named shards that follow this one.
    pub(super) children: bool,
}

/// What was asked.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) place: &'a Place,
    pub(super) position: Option<&'a Position>,
    pub(super) cursor: Cursor,
    /// Before the request was sent: the next iterator is at most that old.
    pub(super) since: Instant,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) read: FeedBatch,
    /// The cursor that stands at `read.next`, if there is one.
    pub(super) cursor: Option<Cursor>,
}

impl From<GetRecordsOutput> for Answer {
    fn from(output: GetRecordsOutput) -> Self {
        Self {
            tip: output.millis_behind_latest() == Some(0),
            behind: behind(output.millis_behind_latest()),
            children: !output.child_shards().is_empty(),
            next: output.next_shard_iterator,
            records: output.records,
        }
    }
}

/// The milliseconds of an answer.
pub(super) fn behind(millis: Option<i64>) -> Option<Duration> {
    millis.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis)
}

impl Answer {
    /// How large it is, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.records
            .iter()
            .map(|record| record.data.as_ref().len() + record.partition_key().map_or(0, str::len))
            .sum()
    }

    pub(super) fn ends_without_children(&self) -> bool {
        self.next.is_none() && !self.children
    }
}

impl Batch<'_> {
    /// Takes what was read as the continuation of the position, or finds that it is none.
    pub(super) fn judge(self, mut answer: Answer, passed_over: &AtomicU64) -> Result<Verdict, StoreError> {
        let Self { place, position, cursor, since } = self;
        let (mut anchor, mut missed) = (cursor.anchor, cursor.missed);
        if let Some(expected) = anchor.take() {
            match answer.records.first() {
                Some(first) if first.sequence_number == *expected.0 => {
                    answer.records.remove(0);
                }
                Some(first) => return Err(place.trimmed(&expected, Some(&first.sequence_number))),
                None => {
                    missed += u32::from(answer.tip);
                    if answer.next.is_none() || missed >= limits::MISSED_ANCHORS {
                        return Err(place.trimmed(&expected, None));
                    }
                    anchor = Some(expected);
                }
            }
        }
        let found = !answer.records.is_empty();
        let Decoded { records, last, stopped } = decode(place, answer.records, passed_over);
        let stop = stopped.is_some();
        if let Some(stopped) = stopped
            && last.is_none()
        {
            return Err(stopped);
        }
        let next = last.or_else(|| position.cloned());
        // Whoever stops in the middle has no iterator for that place.
        let iterator = answer.next.filter(|_| !stop);
        let ended = iterator.is_none() && !stop;
        let quiet = if found { 0 } else { cursor.quiet.saturating_add(1) };
        let more = !answer.tip || anchor.is_some();
        let behind = answer.behind;
        let cursor = iterator.map(|iterator| Cursor { iterator, anchor, missed, since, more, quiet, behind });
        Ok(Verdict { read: FeedBatch { records, next, ended }, cursor })
    }
}
