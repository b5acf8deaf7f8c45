//! The publisher: what is committed goes to the Kinesis stream, in requests of many records.
//!
//! - `queue.rs`: which records go into the next request; plain and synchronous,
//! - `pace.rs`: when the next request may be sent; plain and synchronous,
//! - `machine.rs`: both together: what an answer of Kinesis means,
//! - `room.rs`: how much may wait; `state.rs`: how it is going, in words,
//! - `sink.rs`: where requests go, and what the errors of Kinesis mean,
//! - `task.rs`: the task that sends; `handle.rs`: the publisher as the store sees it.
//!
//! # What it promises
//! What it was given it publishes at least once, as long as the process lives; it never gives up. PutRecords orders
//! nothing and may refuse some records of a request and take others, so of a stream of events at most one record is
//! under way, the lowest version first. A stream whose record was refused waits for a moment while others go on.

mod answer;
mod handle;
mod machine;
mod pace;
mod queue;
mod room;
mod sink;
mod state;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use handle::{Job, Publisher};
pub(crate) use room::Room;
pub use state::{Condition, PublisherState};

/// Limits of the publisher.
pub mod limits {
    use std::time::Duration;

    /// Commits that are written or wait to be published at once, unless configured.
    pub const QUEUE_COMMITS: usize = 10_000;
    /// Bytes of records that wait to be published, unless configured.
    pub const QUEUE_BYTES: usize = 32 * 1024 * 1024;
    /// Commits of dead writers that wait to be published, besides those of this process: neither keeps out the other.
    pub const REDELIVERED_COMMITS: usize = 1_000;
    /// Bytes of records of dead writers that wait to be published.
    pub const REDELIVERED_BYTES: usize = 8 * 1024 * 1024;
    /// Records of a request; AWS sets it.
    pub const REQUEST_RECORDS: usize = 500;
    /// Bytes of the records of a request, partition keys included. AWS takes 10 MiB and took 5 MiB before, as some
    /// look-alikes still do. Larger requests would not be faster: a shard takes 1 MB a second.
    pub const REQUEST_BYTES: usize = 5 * 1024 * 1024;
    /// Bytes of a record, partition key included; AWS sets it, for streams that were not told otherwise.
    pub const RECORD_BYTES: usize = 1024 * 1024;
    /// Requests that are under way at once.
    pub const REQUESTS_IN_FLIGHT: usize = 4;
    /// Requests that fail one after the other before only one at a time is sent, as a probe.
    pub const BREAKER_FAILURES: u32 = 3;
    /// The pause after a request that failed; it doubles with every one that follows.
    pub const FAILURE_PAUSE: Duration = Duration::from_millis(100);
    /// The longest pause between requests that fail: how late it is noticed that Kinesis is back.
    pub const LONGEST_FAILURE_PAUSE: Duration = Duration::from_secs(5);
    /// The pause after a request of which Kinesis throttled at least half; it doubles with every one that follows.
    pub const THROTTLE_PAUSE: Duration = Duration::from_millis(100);
    /// The longest such pause. Kinesis counts by the second.
    pub const LONGEST_THROTTLE_PAUSE: Duration = Duration::from_secs(1);
    /// How long a stream of events waits after its record was refused while others went through; it doubles, too.
    pub const HOLD: Duration = Duration::from_millis(50);
    /// The longest such wait.
    pub const LONGEST_HOLD: Duration = Duration::from_secs(2);
    /// The least time after which a writer that found no room is told to try again.
    pub const RETRY_AFTER: Duration = Duration::from_millis(100);
}
