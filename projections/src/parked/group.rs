//! Parked streams by fingerprint of their error.

use std::collections::BTreeMap;

use crate::{CauseFingerprint, Parked};

/// The parked streams of a projection by fingerprint, those with the most streams first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedGroups {
    /// The groups.
    pub groups: Vec<ParkedGroup>,
    /// Whether every parked stream was looked at. There may be more than one look takes in.
    pub complete: bool,
}

/// The streams that are parked for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedGroup {
    /// The fingerprint of the error.
    pub fingerprint: CauseFingerprint,
    /// How many streams.
    pub streams: u64,
    /// How many events of theirs wait, as far as is known.
    pub events: u64,
    /// One of them: the first by name.
    pub example: Parked,
}

impl ParkedGroups {
    /// Groups records that come by name of their stream.
    pub(crate) fn of(projection: &str, parked: Vec<Parked>, complete: bool) -> Self {
        let mut groups: BTreeMap<CauseFingerprint, ParkedGroup> = BTreeMap::new();
        for record in parked {
            let fingerprint = record.fingerprint(projection);
            let events = (record.highest.0 + 1).saturating_sub(record.first_failing.0);
            let new = || ParkedGroup { fingerprint, streams: 0, events: 0, example: record };
            let group = groups.entry(fingerprint).or_insert_with(new);
            group.streams += 1;
            group.events += events;
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.streams));
        Self { groups, complete }
    }
}
