//! Carrying out commands on any store: load, decide, append; on a conflict, catch up and decide again.

mod backoff;
mod batch;
mod cache;
mod decide;
mod error;
mod executor;
mod fold;
mod options;
mod plan;
mod preview;
mod step;

pub use batch::{Batch, BatchExecuted};
pub use error::{ErasedRefusal, ExecuteError};
pub use executor::{Executed, Executor};
pub use fold::{Fold, FoldError};
pub use options::Options;
pub use preview::Preview;

/// The bounds of the executor.
pub mod limits {
    use std::time::Duration;

    /// How often a command is decided at most before it is given up as contended.
    pub const DECISIONS: u32 = 16;
    /// How often a command compares a state with the head of its stream at most. Every decision may need it twice; the rest
    /// is for states that others tear meanwhile.
    pub const CONFIRMATIONS: u32 = 4 * DECISIONS;
    /// Longest pause before a command is decided again after a conflict.
    pub const LONGEST_BACKOFF: Duration = Duration::from_millis(100);
    /// Streams whose state is cached, unless the executor is told otherwise.
    pub const CACHED_STREAMS: usize = 10_000;
    /// Largest snapshot in bytes, keys included; a larger state does not ride along.
    pub const SNAPSHOT_BYTES: usize = 64 * 1024;
    /// Most event types that a failed precondition names.
    pub const EVENTS_SINCE: usize = 20;
}
