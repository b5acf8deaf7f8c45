//! The limits of a backfill (L12).

use std::time::Duration;

/// How often a slot may be halved: 65,536 slots are the most.
pub const HALVINGS: u32 = 16;

/// Tries of a part that cannot be read for now.
pub const READ_TRIES: u32 = 8;

/// Rows written in one call of the row store.
pub const BATCH_ROWS: usize = 250;

/// Calls that write rows, under way at once.
pub const BATCHES_IN_FLIGHT: usize = 4;

/// Tries of a write that is refused or whose answer is lost, before the slot is given up for now.
pub const WRITE_TRIES: u32 = 12;

/// Streams that are read from the ledger one by one, under way at once.
pub const STREAMS_IN_FLIGHT: usize = 16;

/// Segments in which the ledger is read.
pub const SEGMENTS: u32 = 8;

/// Rows of a slot that are read back and compared with a fold of their own, unless all are.
pub const SAMPLE_ROWS: usize = 200;

/// How often a row that changes all the time is looked at, or written in vain, before it is given up.
pub const LOOKS: usize = 5;

/// Differences that are kept to be shown; more are counted.
pub const DIFFERENCES: usize = 20;

/// Notes that are kept until somebody shows them; more are counted.
pub const NOTES: usize = 100;

/// Notes that are shown with an operation: the last ones.
pub const LAST_NOTES: usize = 5;

/// Bytes of such a note; what is longer is cut.
pub const LAST_NOTE_BYTES: usize = 300;

/// How often it is looked, during a rest, whether it has to go on.
pub const REST_LOOK: Duration = Duration::from_millis(200);

/// Operations of a projection that are kept after their end.
pub const OPERATIONS_KEPT: usize = 5;

/// How often it is written down how far an operation is. It is also its sign of life.
pub const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How often a process that waits for operations looks for them while any is under way elsewhere: often enough to notice
/// when its process is gone.
pub const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Tries to write down how an operation ended.
pub const REPORT_TRIES: u32 = 10;

/// The part of the memory budget that rows and streams may take; the rest is for reading and writing.
pub const ROWS_SHARE: f64 = 0.6;

/// How often a process that has nothing to do looks whether others are done.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked whether a new generation is level with the live one: the checkpoints of a lease are saved
/// every two seconds.
pub const LEVEL_EVERY: Duration = Duration::from_secs(1);

/// How long a generation is left alone after it was taken out of the list, so that whoever keeps it has noticed, before
/// its rows are dropped.
pub const DROP_AFTER: Duration = Duration::from_secs(8);

/// The first pause after the row store has refused a write; it doubles, and shrinks with every write that goes well.
pub const FIRST_YIELD: Duration = Duration::from_millis(20);

/// The longest such pause.
pub const LONGEST_YIELD: Duration = Duration::from_secs(5);
