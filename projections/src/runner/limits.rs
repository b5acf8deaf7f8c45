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
