//! The feed over Kinesis: a shard is a partition, a sequence number is a position.
//!
//! # Partitions
//! An id is the name of the shard and the time at which its stream was made. A stream that is deleted and made anew
//! therefore has other partitions, and a position of the old one is refused instead of being read in the new one.
//! Children name their parents while those are listed; on-demand streams split and merge whenever AWS likes, so the
//! list is to be asked for again and again.
//!
//! # Positions that are refused
//! [`StoreError::Position`](headwater::store::StoreError::Position) means: what this reader has seen cannot be joined
//! to what the feed still has. Its record is older than the retention, its shard or its stream is gone, or it never was
//! a position of this partition. The cure is always the same: catch up from the ledger, then read the partition, if it
//! is still listed, from its beginning. A quiet shard whose last record is older than the retention looks the same as one
//! that lost records, and is refused as well. A stream that does not exist, or not yet, is
//! [`StoreError::Unavailable`](headwater::store::StoreError::Unavailable) instead: nothing is known to be lost.
//!
//! # Records that are not commits
//! A record that is none of ours is logged, counted ([`KinesisFeed::passed_over`]) and passed over: the ledger is the
//! truth, and a record that it does not back has no say. A record of a newer format is not passed over, because a newer
//! version of this program may know a commit in it: the shard stops there, with an error that says so, until the
//! reader is upgraded.
//!
//! # Waiting
//! What this process publishes itself wakes its readers at once. What others publish is found by asking again, after a
//! pause that grows from [`limits::SHORTEST_PAUSE`] to [`limits::LONGEST_PAUSE`] while a shard is quiet; with
//! [fan-out](fanout) Kinesis pushes it. A shard that is throttled is left alone for a second, and readers are told only
//! when that goes on.
//!
//! # Cost
//! Reading on costs one GetRecords; beginning at a position one GetShardIterator more, and at most once a second a
//! DescribeStreamSummary. The list of shards is one ListShards for 1,000 shards, at most every two seconds,
//! and a DescribeStreamSummary with it; AWS allows an account 20 of the latter a second.

mod batch;
mod cursor;
mod decode;
pub mod fanout;
mod incarnation;
mod kinesis;
mod listing;
pub(crate) mod nudges;
mod open;
mod pace;
mod place;
mod polling;
mod shard;
pub mod stream;
#[cfg(test)]
mod tests;

pub use kinesis::KinesisFeed;

/// Limits of reading the feed.
pub mod limits {
    use std::time::Duration;

    /// Most calls of GetRecords a second for each shard, unless configured. AWS allows 5 for all readers of a shard
    /// together; one call is left to somebody who looks by hand.
    pub const READS_PER_SECOND: u32 = 4;
    /// Most records of a GetRecords; AWS allows no more.
    pub const BATCH: usize = 10_000;
    /// Most answers without records on the way from a time to its first record. Kinesis leaves gaps in sparse shards.
    pub const SINCE_ANSWERS: u32 = 50;
    /// The pause between two looks at a shard that was empty once.
    pub const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
    /// The pause between two looks at a shard that stays empty.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    /// How long a shard is left alone when AWS throttles reading it.
    pub const THROTTLED_PAUSE: Duration = Duration::from_secs(1);
    /// The same after a large answer: AWS throttles a shard for five seconds after one of 10 MiB.
    pub const LARGE_PAUSE: Duration = Duration::from_secs(5);
    /// From how many bytes on an answer is large.
    pub const LARGE_BYTES: usize = 9 * 1024 * 1024;
    /// Most tries of a read that is throttled or whose iterator has expired, before it is told.
    pub const TRIES: u32 = 3;
    /// How long an iterator is used. AWS lets them live for five minutes.
    pub const ITERATOR_LIFE: Duration = Duration::from_secs(280);
    /// Most iterators kept for each shard: readers of one shard at different positions.
    pub const ITERATORS: usize = 8;
    /// Answers without records, at the tip of the shard, after which the record that had to come first is gone.
    pub const MISSED_ANCHORS: u32 = 3;
    /// Most shards of which pace and iterators are kept. AWS allows 20,000 in an account, in the largest regions.
    pub const SHARDS: usize = 20_000;
    /// Most pages of a list of shards, of 1,000 each: open ones, and closed ones within the retention.
    pub const SHARD_PAGES: usize = 200;
    /// How long a list of shards is taken for true.
    pub const LISTING_AGE: Duration = Duration::from_secs(2);
    /// How long it is taken for true that a stream was not deleted and made anew. On AWS that takes far longer.
    pub const INCARNATION_AGE: Duration = Duration::from_secs(1);
    /// Most looks at a stream that is not usable yet before it is given up: a little more than two minutes.
    pub const STREAM_LOOKS: u32 = 130;
    /// The pause after the first of those looks; it doubles from there.
    pub const STREAM_SHORTEST_PAUSE: Duration = Duration::from_millis(25);
    /// The longest pause between two of those looks.
    pub const STREAM_LONGEST_PAUSE: Duration = Duration::from_secs(1);
    /// Most digits of a sequence number, as AWS's own model of the service has it.
    pub const SEQUENCE_DIGITS: usize = 129;
    /// Most shards of which it is remembered how far this process has published. A nudge that is forgotten costs a
    /// pause between two polls.
    pub const NUDGED_SHARDS: usize = 4096;
}
