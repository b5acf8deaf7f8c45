//! The outbox: every commit reaches the feed, whatever dies when (L4).
//!
//! A process may die between commit and publish. So each process is a *writer*, and each commit item carries the writer,
//! its lane and a number that rises in the lane; the index `outbox` finds items by them. A number is *open* from before
//! the commit is written until it is published or known not to be written, and the *mark* of a lane is the number below
//! the lowest open one. A writer saves its marks every second. What a dead writer left lies behind its marks.
//!
//! - `lanes.rs`: numbers and marks,
//! - `ticket.rs`: one number, from before the write to the answer of Kinesis,
//! - `doubts.rs`: commits whose answer was lost are looked for until it is known whether they were written,
//! - `book.rs`: the records of writers in the control table,
//! - `keeper.rs`: saves the marks of this process,
//! - `watch.rs`: which records of other writers have not moved; no wall clock,
//! - `takeover.rs`: publishes what lies behind the marks of a dead writer,
//! - `roll.rs`: which writers there are, for whoever looks after a service,
//! - `desk.rs`: the outbox as the store sees it.
//!
//! # Why a dead writer is visited again
//! The index is eventually consistent, and a process that was only asleep may write once more before it notices. So what
//! lies behind the marks is read in several passes, each after a longer wait, until an hour has gone by; only then the
//! record is removed. A pass never moves the marks. It needs no owner: whoever sees a record unmoved for long enough
//! claims the next pass by a conditional write, and if that process dies, too, another makes the pass after it.

mod book;
mod desk;
mod doubts;
mod keeper;
mod lanes;
mod roll;
mod takeover;
mod ticket;
mod watch;

pub use roll::{Writer, writers};

pub(crate) use book::Book;
pub(crate) use desk::Outbox;
pub(crate) use lanes::Number;
pub(crate) use ticket::Ticket;

/// The index of the ledger's table by writer, lane and number; it holds keys only.
pub(crate) const INDEX: &str = "outbox";
/// The group of the control table that holds the records of writers; no group of projections can have such a name.
const WRITERS: &str = "#writers";

/// Limits of the outbox.
pub mod limits {
    use std::time::Duration;

    /// Lanes of a writer. They keep the index below the 1,000 write units a second that AWS allows for one key.
    pub const LANES: usize = 4;
    /// How often a writer saves its marks.
    pub const SAVE_EVERY: Duration = Duration::from_secs(1);
    /// How long a writer relies on the last save of its marks. After that it saves them before it gives out another number:
    /// it may have slept until others took it off the books, which takes them twice as long and more.
    pub const CONFIRMED_FOR: Duration = Duration::from_secs(1_800);
    /// How long a writer that has published everything goes on saving before it removes its record.
    pub const IDLE_AFTER: Duration = Duration::from_secs(60);
    /// How long a record must not move before the first pass: several times what a writer may be late.
    pub const TAKEOVER_AFTER: Duration = Duration::from_secs(10);
    /// The longest time between two looks at the records of other writers.
    pub const WATCH_EVERY: Duration = Duration::from_millis(2_500);
    /// Passes over what a dead writer left. The waits between them double from two seconds to [`LONGEST_WAIT`]; all
    /// together take more than an hour.
    pub const PASSES: u32 = 15;
    /// The longest wait between two passes.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(600);
    /// Records of writers in a page of the control table.
    pub const PAGE_WRITERS: i32 = 100;
    /// Commits in a page of the index.
    pub const PAGE_COMMITS: i32 = 200;
    /// Commits of a dead writer that are read from the ledger at once.
    pub const READS_AT_ONCE: usize = 16;
    /// How long the commits of one page of a dead writer may take to be published before the pass is given up; the next
    /// pass comes to them again.
    pub const PAGE_WITHIN: Duration = Duration::from_secs(60);
    /// Commits of dead writers of which this process remembers that it has published them.
    pub const REMEMBERED: usize = 100_000;
    /// The waits before the looks for a commit whose answer was lost, each counted from the loss or from the last look
    /// that was answered. After the last look the commit is taken as not written: what a closed connection still held
    /// is sent again within two minutes of the network being back, or never.
    pub const LOOKS: [Duration; 4] =
        [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(150)];
    /// How often the commits whose answers were lost are gone through.
    pub const LOOK_EVERY: Duration = Duration::from_millis(250);
    /// Of how many of them the ledger is asked at once.
    pub const LOOKS_AT_ONCE: usize = 16;
    /// Tries to register a writer before a commit is refused.
    pub const REGISTER_TRIES: u32 = 5;
    /// How long a stop waits for what is not published yet; what is left then is published by another process.
    pub const STOP_WITHIN: Duration = Duration::from_secs(20);
}
