//! The newest records of a partition, bounded by number and bytes.

use std::collections::VecDeque;

use headwater::store::{FeedBatch, FeedRecord};

use super::limits::{RING_BYTES, RING_RECORDS};
use super::place::Place;

/// A piece of a partition without a hole: what lies between two places.
#[derive(Debug)]
pub(super) struct Ring {
    from: Place,
    to: Place,
    records: VecDeque<FeedRecord>,
    bytes: usize,
    /// Whether anything was asked for yet; until then nobody knows whether there is more.
    asked: bool,
    ended: bool,
}

/// What a ring has for somebody.
#[derive(Debug)]
pub(super) enum Taken {
    /// The next records.
    Records(Vec<FeedRecord>),
    /// Nothing: he is at its end.
    Nothing,
    /// Nothing yet: he is at its end, and nobody has looked what follows.
    NotYet,
    /// Nothing, and there never will be: the partition is closed and he is at its end.
    Ended,
    /// His place is not in it.
    Elsewhere,
}

impl Ring {
    pub(super) fn new(place: Place) -> Self {
        Self {
            from: place.clone(),
            to: place,
            records: VecDeque::new(),
            bytes: 0,
            asked: false,
            ended: false,
        }
    }

    /// Where its next records come from.
    pub(super) fn end(&self) -> &Place {
        &self.to
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Adds what was read from its end; what is oldest goes when there is too much.
    pub(super) fn push(&mut self, batch: FeedBatch) {
        self.to = self.to.behind(&batch);
        (self.asked, self.ended) = (true, batch.ended);
        for record in batch.records {
            self.bytes += record_bytes(&record);
            self.records.push_back(record);
        }
        if self.records.is_empty() {
            // Nothing is kept, so the piece is the place alone.
            self.from = self.to.clone();
        }
        while self.records.len() > RING_RECORDS || (self.bytes > RING_BYTES && self.records.len() > 1) {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= record_bytes(&oldest);
            self.from = Place::After(oldest.position);
        }
    }

    /// What follows a place, at most `limit` records.
    pub(super) fn after(&self, place: &Place, limit: usize) -> Taken {
        if *place == self.to {
            return match (self.asked, self.ended) {
                (_, true) => Taken::Ended,
                (true, false) => Taken::Nothing,
                (false, false) => Taken::NotYet,
            };
        }
        let Some(index) = self.index(place) else { return Taken::Elsewhere };
        Taken::Records(self.records.iter().skip(index).take(limit).cloned().collect())
    }

    /// Which record is the first behind a place.
    fn index(&self, place: &Place) -> Option<usize> {
        if *place == self.from {
            return Some(0);
        }
        let position = place.position()?;
        let (first, last) = (&self.records.front()?.position, &self.records.back()?.position);
        let from = self.from.position();
        let inside = position >= first || from.is_some_and(|from| position >= from);
        (inside && position <= last)
            .then(|| self.records.partition_point(|record| record.position <= *position))
    }
}

/// About how much memory a record takes.
pub(super) fn record_bytes(record: &FeedRecord) -> usize {
    let commit = &record.commit;
    let events: usize = commit.events.iter().map(|event| event.size_bytes()).sum();
    // What is around the payloads counts as well.
    events + commit.metadata.size_bytes() + commit.stream.as_str().len() + 256
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater::store::{Append, Position};
    use headwater::{EventData, Expected, StreamName, Version};

    use super::*;

    fn record(position: usize, bytes: usize) -> FeedRecord {
        let event = EventData { name: "E".into(), schema: 1, payload: vec![b' '; bytes].into() };
        let stream = StreamName::new("a", "b").unwrap();
        let commit = Append::new(stream, Expected::Any, vec![event]).into_commit(Version(1));
        FeedRecord { position: at(position), commit: Arc::new(commit), redelivered: false }
    }

    fn at(position: usize) -> Position {
        Position(position.to_string().into())
    }

    fn batch(positions: std::ops::RangeInclusive<usize>, bytes: usize) -> FeedBatch {
        let next = Some(at(*positions.end()));
        FeedBatch { records: positions.map(|n| record(n, bytes)).collect(), next, ..FeedBatch::default() }
    }

    fn taken(ring: &Ring, place: &Place) -> Option<Vec<String>> {
        match ring.after(place, 10) {
            Taken::Records(records) => Some(records.iter().map(|r| r.position.to_string()).collect()),
            Taken::Nothing | Taken::NotYet => Some(Vec::new()),
            Taken::Ended | Taken::Elsewhere => None,
        }
    }

    #[test]
    fn whoever_is_inside_gets_what_follows_and_nobody_else_anything() {
        let mut ring = Ring::new(Place::After(at(10)));
        assert_eq!(taken(&ring, &Place::After(at(10))), Some(vec![]));
        ring.push(batch(12..=14, 1));
        for (place, expected) in [
            (10, Some(vec!["12", "13", "14"])),
            // Positions may have holes.
            (11, Some(vec!["12", "13", "14"])),
            (12, Some(vec!["13", "14"])),
            (14, Some(vec![])),
            (9, None),
            (15, None),
        ] {
            let expected = expected.map(|list| list.into_iter().map(str::to_owned).collect());
            assert_eq!(taken(&ring, &Place::After(at(place))), expected, "{place}");
        }
        assert_eq!(taken(&ring, &Place::Begin), None);
    }

    #[test]
    fn where_it_begins_by_time_only_whoever_began_with_it_is_inside_before_its_first_record() {
        let since = Place::Since(headwater::Timestamp::UNIX_EPOCH);
        let mut ring = Ring::new(since.clone());
        ring.push(batch(12..=13, 1));
        assert_eq!(taken(&ring, &since), Some(vec!["12".to_owned(), "13".to_owned()]));
        assert_eq!(taken(&ring, &Place::After(at(11))), None);
        assert_eq!(taken(&ring, &Place::After(at(12))), Some(vec!["13".to_owned()]));
    }

    #[test]
    fn it_is_bounded_by_number_and_by_bytes_and_the_newest_stay() {
        let mut ring = Ring::new(Place::Begin);
        ring.push(batch(1..=RING_RECORDS + 5, 1));
        assert_eq!(ring.records.len(), RING_RECORDS);
        assert_eq!(taken(&ring, &Place::After(at(4))), None);
        assert!(taken(&ring, &Place::After(at(5))).is_some());
        let next = RING_RECORDS + 6;
        ring.push(batch(next..=next + 3, RING_BYTES / 2));
        assert!(ring.bytes <= RING_BYTES && ring.records.len() == 1, "{}", ring.records.len());
        ring.push(batch(next + 4..=next + 4, RING_BYTES * 2));
        assert_eq!(ring.records.len(), 1, "one is kept however large it is");
    }
}
