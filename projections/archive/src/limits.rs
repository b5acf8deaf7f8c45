//! The limits of the archive (L12). What reaches one is written earlier or waits; nothing grows without bound.

use std::time::Duration;

/// Most bytes of records, before compression, that wait for a row group of their file. One record more may come on top.
pub const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Most events in a row group. The events of a commit stay together, so those of one commit may come on top.
pub const ROW_GROUP_EVENTS: usize = 100_000;

/// Records read from the feed at once.
pub const READ_RECORDS: usize = 500;

/// Requests about files under way at once, when all of them are looked at.
pub const LOOKS_AT_ONCE: usize = 64;

/// Most keys of a listing that one answer has; S3 gives no more either.
pub const LISTED_AT_ONCE: i32 = 1_000;

/// How long records may wait for their file before they are dropped and read again. It is far below the shortest
/// retention of Kinesis, 24 hours: a process that slept cannot write a file about records that the feed has forgotten.
pub const OPEN_AT_MOST: Duration = Duration::from_secs(3_600);

/// The longest a partition without news is left alone.
pub const IDLE_WAIT: Duration = Duration::from_secs(1);

/// Events decoded at once when a file is read.
pub const DECODE_EVENTS: usize = 4_096;

/// Appends of a restore under way at once, each to another stream.
pub const APPENDS_AT_ONCE: usize = 64;

/// How often an append or a page of a restore is tried before it is given up.
pub const APPEND_TRIES: u32 = 20;

/// Most streams that differ and are named after a comparison.
pub const NAMED_DIFFERENCES: usize = 20;

/// Longest key of a file in bytes: what the look-alike of S3 can keep.
pub const KEY_BYTES: usize = 150;
