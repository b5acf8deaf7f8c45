//! From records of Kinesis to commits, and what becomes of those that are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_kinesis::types::Record;
use headwater::store::{FeedRecord, Position, StoreError};

use super::place::Place;
use crate::record::{self, RecordError};

/// What a list of records came to.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// The commits.
    pub(super) records: Vec<FeedRecord>,
    /// The last record that was dealt with.
    pub(super) last: Option<Position>,
    /// Why the record behind it, and all that follow, were not.
    pub(super) stopped: Option<StoreError>,
}

/// Reads commits out of records. Those that are none are counted and passed over; at one that only a newer version of
/// this program can read it stops.
pub(super) fn decode(place: &Place, records: Vec<Record>, passed_over: &AtomicU64) -> Decoded {
    let mut decoded = Decoded::default();
    for record in records {
        let position = Position(record.sequence_number.as_str().into());
        match record::decode(record.data.as_ref()) {
            Ok(record::Record { commit, redelivered, .. }) => {
                let (position, commit) = (position.clone(), Arc::new(commit));
                decoded.records.push(FeedRecord { position, commit, redelivered });
            }
            Err(error @ RecordError::Newer { .. }) => {
                let attempted =
                    format!("read the record at position {position} of partition {}", place.partition);
                decoded.stopped = Some(StoreError::Unavailable { attempted, source: Box::new(error) });
                return decoded;
            }
            Err(error) => {
                passed_over.fetch_add(1, Ordering::Relaxed);
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    partition = %place.partition,
                    %position,
                    error,
                    "a record of the feed is no commit and is passed over: the ledger has every commit"
                );
            }
        }
        decoded.last = Some(position);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::primitives::Blob;

    use super::*;

    const GOOD: &str = r#"{"format":1,"stream":"a/1","version":1,"commit":"0197a3c1-0000-7000-8000-000000000007","at":"2026-08-30T12:00:00.000000Z","events":[{"type":"Noted","schema":1,"data":{}}]}"#;
    const NEWER: &str = r#"{"format":1000,"stream":"a/1"}"#;

    fn run(data: &[&str]) -> (Vec<String>, Option<String>, Option<String>, u64) {
        let record = |(number, data): (usize, &&str)| {
            let record = Record::builder().sequence_number(number.to_string()).partition_key("a");
            record.data(Blob::new(data.as_bytes())).build().unwrap()
        };
        let records = data.iter().enumerate().map(record).collect();
        let passed_over = AtomicU64::new(0);
        let decoded = decode(&Place::new("shard", 1), records, &passed_over);
        (
            decoded.records.iter().map(|record| record.position.to_string()).collect(),
            decoded.last.map(|position| position.to_string()),
            decoded.stopped.map(|error| error.to_string()),
            passed_over.into_inner(),
        )
    }

    fn strings<const N: usize>(strings: [&str; N]) -> Vec<String> {
        strings.map(str::to_owned).to_vec()
    }

    #[test]
    fn what_is_no_commit_is_counted_and_passed_over() {
        assert_eq!(
            run(&[GOOD, "nonsense", "{}", GOOD]),
            (strings(["0", "3"]), Some("3".to_owned()), None, 2)
        );
        assert_eq!(run(&["nonsense"]), (vec![], Some("0".to_owned()), None, 1));
    }

    #[test]
    fn a_record_of_a_newer_format_is_not_passed_over() {
        let (records, last, stopped, passed_over) = run(&[GOOD, NEWER, GOOD]);
        assert_eq!((records, last, passed_over), (strings(["0"]), Some("0".to_owned()), 0));
        assert!(stopped.unwrap().contains("position 1 of partition shard.1"));
        assert_eq!(run(&[NEWER]).1, None);
    }
}
