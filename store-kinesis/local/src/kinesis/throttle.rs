//! The limits that AWS sets each shard, for those who ask for them: how much it takes in a second, and how often it is
//! read.

use std::{cell::RefCell, collections::HashMap};

use super::{
    failure::Failure,
    shard,
    stream::{ACCOUNT, Stream},
};

/// The limits count within windows of this many milliseconds.
const WINDOW: i64 = 1000;
/// How many records a shard takes in a window.
const RECORDS: usize = 1000;
/// How many bytes a shard takes in a window, keys included.
const BYTES: usize = 1024 * 1024;
/// How often `GetRecords` may read a shard in a window. Subscriptions do not count.
const READS: usize = 5;
/// How many shards are remembered before those of past windows are forgotten.
const REMEMBERED: usize = 1000;

/// What each shard has done in its window.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    enforced: bool,
    shards: RefCell<HashMap<(i64, i64), Spent>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    since: i64,
    records: usize,
    bytes: usize,
    reads: usize,
}

impl Throttle {
    /// Enforces the limits, or lets everything pass.
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced, shards: RefCell::default() }
    }

    /// Counts a record of so many bytes, or refuses it.
    pub(crate) fn write(&self, stream: &Stream, shard: i64, now: i64, bytes: usize) -> Result<(), Failure> {
        self.spend(stream, shard, now, |spent| {
            spent.records += 1;
            spent.bytes += bytes;
            spent.records <= RECORDS && spent.bytes <= BYTES
        })
    }

    /// Counts a read, or refuses it.
    pub(crate) fn read(&self, stream: &Stream, shard: i64, now: i64) -> Result<(), Failure> {
        self.spend(stream, shard, now, |spent| {
            spent.reads += 1;
            spent.reads <= READS
        })
    }

    /// Keeps what `spend` leaves when it says that this is within the limits.
    fn spend(
        &self,
        stream: &Stream,
        shard: i64,
        now: i64,
        spend: impl FnOnce(&mut Spent) -> bool,
    ) -> Result<(), Failure> {
        if !self.enforced {
            return Ok(());
        }
        let mut shards = self.shards.borrow_mut();
        if shards.len() >= REMEMBERED {
            shards.retain(|_, spent| now - spent.since < WINDOW);
        }
        let kept = shards.entry((stream.id, shard)).or_insert(Spent { since: now, ..Spent::default() });
        if now - kept.since >= WINDOW {
            *kept = Spent { since: now, ..Spent::default() };
        }
        let mut spent = *kept;
        if spend(&mut spent) {
            *kept = spent;
            return Ok(());
        }
        Err(Failure::new(
            "ProvisionedThroughputExceededException",
            format!(
                "Rate exceeded for shard {} in stream {} under account {ACCOUNT}.",
                shard::name(shard),
                stream.name
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{database::at, schema};

    fn stream() -> Stream {
        let connection = schema::open(None).unwrap();
        at(&connection, 0, |tx| {
            let sql = "INSERT INTO streams VALUES (1, 'orders', 'PROVISIONED', 0, 24, 'CREATING', 0, 1, 2)";
            tx.connection.execute(sql, [])?;
            Stream::find(tx, Some("orders"), None)
        })
    }

    /// How many of so many attempts are accepted.
    fn accepted(attempts: usize, attempt: impl Fn() -> Result<(), Failure>) -> usize {
        (0..attempts).filter(|_| attempt().is_ok()).count()
    }

    #[test]
    fn a_shard_takes_a_thousand_records_in_a_second_whatever_its_neighbours_do() {
        let (throttle, stream) = (Throttle::new(true), stream());
        assert_eq!(accepted(1200, || throttle.write(&stream, 0, 5000, 10)), 1000);
        assert_eq!(accepted(1200, || throttle.write(&stream, 1, 5000, 10)), 1000);
        assert_eq!(accepted(1, || throttle.write(&stream, 0, 5999, 10)), 0);
        assert_eq!(accepted(1, || throttle.write(&stream, 0, 6000, 10)), 1);
    }

    #[test]
    fn a_shard_takes_a_mebibyte_in_a_second_and_a_small_record_where_a_large_one_is_refused() {
        let (throttle, stream) = (Throttle::new(true), stream());
        assert_eq!(accepted(1, || throttle.write(&stream, 0, 0, BYTES - 10)), 1);
        assert_eq!(accepted(1, || throttle.write(&stream, 0, 0, 11)), 0);
        assert_eq!(accepted(1, || throttle.write(&stream, 0, 0, 10)), 1);
        assert_eq!(accepted(1, || throttle.write(&stream, 0, WINDOW, BYTES)), 1);
    }

    #[test]
    fn a_shard_is_read_five_times_in_a_second() {
        let (throttle, stream) = (Throttle::new(true), stream());
        assert_eq!(accepted(9, || throttle.read(&stream, 0, 0)), 5);
        assert_eq!(accepted(9, || throttle.read(&stream, 0, WINDOW)), 5);
    }

    #[test]
    fn nothing_is_refused_unless_asked_for() {
        let (throttle, stream) = (Throttle::default(), stream());
        assert_eq!(accepted(2000, || throttle.write(&stream, 0, 0, BYTES)), 2000);
        assert_eq!(accepted(100, || throttle.read(&stream, 0, 0)), 100);
    }

    #[test]
    fn shards_of_past_windows_are_forgotten() {
        let (throttle, stream) = (Throttle::new(true), stream());
        for shard in 0..3000 {
            throttle.read(&stream, shard, shard).unwrap();
        }
        assert!(throttle.shards.borrow().len() <= REMEMBERED);
    }
}
