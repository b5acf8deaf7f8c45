//! The limits of the runner (L12): nothing grows without bound, and reaching a limit only slows it down.

use std::time::Duration;

/// Most records of the feed in one batch.
pub const BATCH_RECORDS: usize = 500;

/// Most commits read from the ledger into one batch to fill gaps; a longer gap is filled in several batches.
pub const FILL_COMMITS: usize = 1_000;

/// Rows and streams that the memory of one projection and partition keeps from batch to batch.
pub const MEMORY_ENTRIES: usize = 100_000;

/// Writes of independent rows under way at once.
pub const WRITES_IN_FLIGHT: usize = 32;

/// Callers of one projection that wait for a version at once.
pub const WAITERS: usize = 10_000;

/// The longest a partition without news is left alone.
pub const IDLE_WAIT: Duration = Duration::from_secs(1);

/// How often the partitions of the feed are listed.
pub const PARTITIONS_EVERY: Duration = Duration::from_secs(5);

/// The first pause before trying again; each next one is twice as long.
pub const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause before trying again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Fewest records asked for at once, however slow a batch was.
pub const BATCH_RECORDS_LEAST: usize = 25;

/// A batch that takes longer makes the next one smaller, so that a hand-over never waits long for one.
pub const BATCH_TIME: Duration = Duration::from_millis(500);

/// How long a live generation waits, batch by batch, for one that is not live and goes first.
pub const SPARE_PATIENCE: Duration = Duration::from_secs(2);

/// How long a read of the feed may take before it counts as failed.
pub const READ_PATIENCE: Duration = Duration::from_secs(30);

/// How long after its last answer a partition still counts as caught up.
pub const HEAD_FRESH: Duration = Duration::from_secs(5);

/// How long a listing of the partitions may take before it counts as failed.
pub const LIST_PATIENCE: Duration = Duration::from_secs(3);

/// How often parked streams are looked at, to try some of them again.
pub const MEND_EVERY: Duration = Duration::from_secs(10);

/// Most parked streams of a projection that are looked at in one go; the next ones follow in the next.
pub const MEND_STREAMS: usize = 100;

/// A stream that has failed n times is tried again in one of 2^n sweeps, and never more seldom than in one of 2^this.
pub const MEND_SELDOM: u32 = 8;

/// How often the last write of a lease is tried; after that the others have to wait until it expires.
pub const LAST_TRIES: u32 = 3;

/// Parked streams that an order about all of them tries at once.
pub const ORDERS_AT_ONCE: usize = 8;
