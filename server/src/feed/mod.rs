//! The feed for subscribers of this process. Shards may be read five times a second by all readers together, so one tail
//! a partition reads for everybody who is at its end; only those who are behind read for themselves, few at once.
//!
//! - `place.rs`: where somebody is in a partition, `cursor.rs`: in all of them, as a text for clients,
//! - `ring.rs`: the newest records of a partition, bounded, `tail.rs`: who fills it,
//! - `hub.rs`: the tails of all partitions, while there are subscribers,
//! - `follower.rs`: one subscriber, through splits and merges of partitions.

mod cursor;
mod follower;
mod hub;
mod place;
mod ring;
mod tail;
#[cfg(test)]
mod tests;

pub(crate) use follower::{Follower, Next};
pub(crate) use hub::{Hub, Start};

/// The limits of subscriptions.
pub(crate) mod limits {
    use std::time::Duration;

    /// Subscribers of this process at once.
    pub(crate) const SUBSCRIBERS: usize = 1_000;
    /// Newest records of a partition that are kept for those at its end.
    pub(crate) const RING_RECORDS: usize = 1_000;
    /// Their bytes; one record is kept however large it is.
    pub(crate) const RING_BYTES: usize = 1024 * 1024;
    /// Records handed on or read at once.
    pub(crate) const BATCH: usize = 100;
    /// Subscribers that read for themselves at once.
    pub(crate) const OWN_READS: usize = 4;
    /// The first pause before somebody who reads for himself looks again where there was nothing; it doubles.
    pub(crate) const SHORTEST_LOOK: Duration = Duration::from_millis(250);
    /// The longest of those pauses.
    pub(crate) const LONGEST_LOOK: Duration = Duration::from_secs(8);
    /// How often the partitions are listed while there are subscribers.
    pub(crate) const LISTING: Duration = Duration::from_secs(5);
    /// How long a tail waits for something new before it asks anyway.
    pub(crate) const TAIL_WAIT: Duration = Duration::from_secs(1);
    /// How long tails go on when the last subscriber is gone.
    pub(crate) const LINGER: Duration = Duration::from_secs(10);
    /// How far clocks of this machine and of the feed may be apart: from now on begins this much earlier.
    pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(2);
    /// Most partitions that a cursor can name.
    pub(crate) const CURSOR_PARTITIONS: usize = 512;
    /// Longest cursor in bytes.
    pub(crate) const CURSOR_BYTES: usize = 64 * 1024;
}
