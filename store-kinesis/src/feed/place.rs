//! The ids of partitions and positions, and what is said about those that are not of this feed.

use std::sync::Arc;

use headwater::store::{PartitionId, Position, StoreError};

use super::limits;

/// A shard of one incarnation of the stream: what a [`PartitionId`] names.
///
/// A stream that was deleted and made anew has shards of the same names. The time at which the stream was made tells
/// them apart, so that a position of the old one is never taken for one of the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// As others know it.
    pub(super) partition: PartitionId,
    /// The shard.
    pub(super) shard: Arc<str>,
    /// When its stream was made, in milliseconds since 1970.
    pub(super) created: i64,
}

impl Place {
    /// The place of a shard.
    pub(super) fn new(shard: &str, created: i64) -> Self {
        Self { partition: id(shard, created), shard: shard.into(), created }
    }

    /// What an id names.
    pub(super) fn parse(partition: &PartitionId) -> Result<Self, StoreError> {
        let parts = partition.0.rsplit_once('.');
        let parts = parts.and_then(|(shard, created)| Some((shard, created.parse().ok()?)));
        match parts.filter(|(shard, created)| !shard.is_empty() && id(shard, *created) == *partition) {
            Some((shard, created)) => Ok(Self::new(shard, created)),
            None => Err(refused(format!(
                "{partition} is not a partition of a Kinesis feed: those are named by their shard and the time their \
                 stream was made"
            ))),
        }
    }

    /// The stream of this place is gone, and there is another one in its stead.
    pub(super) fn remade(&self, stream: &str, created: i64) -> StoreError {
        refused(format!(
            "partition {} belongs to a stream {stream} that was made at {}, and that was deleted and made anew at \
             {created} (in ms since 1970): catch up from the ledger and go on with the partitions there are now",
            self.partition, self.created
        ))
    }

    /// The stream is the right one and has no such shard.
    pub(super) fn unknown(&self, stream: &str) -> StoreError {
        refused(format!(
            "stream {stream} has no shard {}, or has no more: a closed shard goes when all of it is older than the \
             retention; catch up from the ledger and go on with the partitions there are now",
            self.shard
        ))
    }

    /// Kinesis does not take the position for one of this shard.
    pub(super) fn foreign(&self, position: Option<&Position>, message: &str) -> StoreError {
        let position =
            position.map_or_else(|| "its beginning".to_owned(), |position| format!("position {position}"));
        refused(format!(
            "Kinesis refuses to read shard {} at {position} ({message}): the position is of another shard or no \
             sequence number; catch up from the ledger and read the partition from its beginning",
            self.shard
        ))
    }

    /// The record at a position is gone, and with it perhaps others.
    pub(super) fn trimmed(&self, position: &Position, first: Option<&str>) -> StoreError {
        let found = first
            .map_or_else(|| "and nothing follows".to_owned(), |first| format!("the next record is {first}"));
        refused(format!(
            "the record at position {position} of partition {} is not there any more ({found}): the position is older \
             than the retention of the stream and what followed may be lost; catch up from the ledger, read the \
             partition from its beginning, and raise the retention if this comes again",
            self.partition
        ))
    }

    /// The position, if it can be a sequence number at all.
    pub(super) fn sequence(&self, position: &Position) -> Result<(), StoreError> {
        let digits = position.0.as_bytes();
        if digits.iter().all(u8::is_ascii_digit) && (1..=limits::SEQUENCE_DIGITS).contains(&digits.len()) {
            return Ok(());
        }
        Err(refused(format!(
            "{position} in partition {} is no sequence number of Kinesis, which are decimal numbers of at most {} \
             digits; catch up from the ledger and read the partition from its beginning",
            self.partition,
            limits::SEQUENCE_DIGITS
        )))
    }
}

fn id(shard: &str, created: i64) -> PartitionId {
    PartitionId(format!("{shard}.{created}").into())
}

fn refused(reason: String) -> StoreError {
    StoreError::Position { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(id: &str) -> Result<Place, StoreError> {
        Place::parse(&PartitionId(id.into()))
    }

    #[test]
    fn an_id_reads_back_as_the_shard_and_the_incarnation_it_was_made_of() {
        for (shard, created) in [("shardId-000000000000", 1_700_000_000_123), ("odd.name", 0), ("a", -1)] {
            let place = Place::new(shard, created);
            assert_eq!(parsed(&place.partition.0).unwrap(), place);
        }
    }

    #[test]
    fn what_no_shard_is_named_is_refused() {
        for id in
            ["", "shardId-000000000000", "shardId-0.", ".1", "a.+1", "a.01", "a.1x", "no-such-partition"]
        {
            let error = parsed(id).unwrap_err();
            assert!(matches!(error, StoreError::Position { .. }), "{id}: {error}");
        }
    }

    #[test]
    fn a_position_is_a_sequence_number() {
        let place = Place::new("shard", 1);
        let longest = "9".repeat(limits::SEQUENCE_DIGITS);
        for good in ["0", "1", "10", &longest] {
            place.sequence(&Position(good.into())).unwrap();
        }
        let longer = format!("{longest}9");
        for bad in ["", "-1", "1.5", "latest", "٣", &longer] {
            let error = place.sequence(&Position(bad.into())).unwrap_err();
            assert!(matches!(error, StoreError::Position { .. }), "{bad}: {error}");
        }
    }
}
