//! Whatever is added, refused and published in whatever order: nothing is lost, and of a stream one record is in
//! flight, the lowest first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater::{StreamName, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::publisher::limits;
use crate::publisher::queue::{Fate, FlightId, Queue};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A record of a stream arrives, with its version and size.
    Add(u8, u64, usize),
    Take,
    /// One of the flights lands; fates are taken from the list in turn.
    Land(prop::sample::Index, Vec<Fate>),
    Pass(Duration),
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![Fate::Published, Fate::Published, Fate::Again, Fate::Later, Fate::Alone])
}

fn any_event() -> impl Strategy<Value = Event> {
    let bytes = prop_oneof![
        20 => 1..2_000_usize,
        3 => limits::RECORD_BYTES / 2..=limits::RECORD_BYTES,
        1 => limits::REQUEST_BYTES..limits::REQUEST_BYTES * 2,
    ];
    prop_oneof![
        5 => (0..8_u8, 1..30_u64, bytes).prop_map(|(stream, version, bytes)| Event::Add(stream, version, bytes)),
        2 => Just(Event::Take),
        2 => (any::<prop::sample::Index>(), vec(any_fate(), 0..6)).prop_map(|(which, fates)| Event::Land(which, fates)),
        1 => (0..3_000_u64).prop_map(|millis| Event::Pass(Duration::from_millis(millis))),
    ]
}

fn stream(id: u8) -> StreamName {
    StreamName::new("account", &id.to_string()).unwrap()
}

/// What a queue must do, kept in the plainest way.
struct Model {
    queue: Queue<Added>,
    now: Instant,
    /// Everything that is neither published nor in flight.
    waiting: BTreeSet<Added>,
    flights: BTreeMap<usize, (FlightId, Vec<Added>)>,
    published: BTreeSet<Added>,
    /// Streams whose record was refused, and until when they wait at least.
    held: BTreeMap<u8, Instant>,
    alone: BTreeSet<Added>,
    added: usize,
    flown: usize,
}

/// Stream, version, arrival, bytes.
type Added = (u8, u64, usize, usize);

impl Model {
    fn new() -> Self {
        Self {
            queue: Queue::new(),
            now: Instant::now(),
            waiting: BTreeSet::new(),
            flights: BTreeMap::new(),
            published: BTreeSet::new(),
            held: BTreeMap::new(),
            alone: BTreeSet::new(),
            added: 0,
            flown: 0,
        }
    }

    fn add(&mut self, id: u8, version: u64, bytes: usize) {
        let added = (id, version, self.added, bytes);
        self.added += 1;
        self.queue.add(stream(id), Version(version), bytes, added);
        self.waiting.insert(added);
    }

    /// Takes a request and checks it.
    fn take(&mut self) -> Option<usize> {
        let in_flight: BTreeSet<u8> =
            self.flights.values().flat_map(|(_, all)| all).map(|added| added.0).collect();
        let free = |added: &&Added| {
            !in_flight.contains(&added.0) && self.held.get(&added.0).is_none_or(|until| *until <= self.now)
        };
        let Some(id) = self.queue.take(self.now) else {
            let surely_free = self
                .waiting
                .iter()
                .find(|added| !in_flight.contains(&added.0) && !self.held.contains_key(&added.0));
            assert_eq!(surely_free, None, "what is free and not refused goes at once");
            return None;
        };
        let records: Vec<Added> = self.queue.flight(id).copied().collect();
        let mut streams = BTreeSet::new();
        for record in &records {
            assert!(streams.insert(record.0), "two records of a stream in one flight");
            let lowest = self.waiting.iter().filter(free).find(|added| added.0 == record.0);
            assert_eq!(lowest, Some(record), "not the lowest of a stream that may go");
        }
        for record in &records {
            self.waiting.remove(record);
            self.held.remove(&record.0);
        }
        let bytes: usize = records.iter().map(|record| record.3).sum();
        assert!(
            records.len() == 1 || bytes <= limits::REQUEST_BYTES,
            "{bytes} bytes in {} records",
            records.len()
        );
        assert!(records.len() <= limits::REQUEST_RECORDS);
        assert!(records.len() == 1 || !records.iter().any(|record| self.alone.contains(record)));
        self.flown += 1;
        self.flights.insert(self.flown, (id, records));
        Some(self.flown)
    }

    fn land(&mut self, flight: usize, fates: &[Fate]) {
        let (id, records) = self.flights.remove(&flight).unwrap();
        let published = self.queue.land(id, fates, self.now);
        let fates = fates.iter().copied().chain(std::iter::repeat(Fate::Later));
        let mut expected = Vec::new();
        for (record, fate) in records.into_iter().zip(fates) {
            if fate == Fate::Published {
                assert!(self.published.insert(record), "published twice");
                expected.push(record);
                continue;
            }
            self.waiting.insert(record);
            if fate == Fate::Alone {
                self.alone.insert(record);
            }
            if fate != Fate::Again {
                self.held.insert(record.0, self.now + limits::HOLD / 2);
            }
        }
        assert_eq!(published, expected);
    }

    fn check_counts(&self) {
        let in_flight: usize = self.flights.values().map(|(_, records)| records.len()).sum();
        let open: Vec<&Added> =
            self.waiting.iter().chain(self.flights.values().flat_map(|(_, all)| all)).collect();
        assert_eq!(self.queue.commits(), open.len());
        assert_eq!(self.queue.bytes(), open.iter().map(|added| added.3).sum::<usize>());
        assert_eq!((self.queue.in_flight(), self.queue.flights()), (in_flight, self.flights.len()));
        let below = open.iter().map(|added| added.2).min().unwrap_or(self.added);
        assert_eq!(self.queue.published_below(), below as u64);
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_one_record_of_a_stream_is_in_flight_lowest_first(
        events in vec(any_event(), 0..200),
    ) {
        let mut model = Model::new();
        for event in events {
            match event {
                Event::Add(stream, version, bytes) => model.add(stream, version, bytes),
                Event::Take => {
                    model.take();
                }
                Event::Land(which, fates) => {
                    let flights: Vec<usize> = model.flights.keys().copied().collect();
                    if !flights.is_empty() {
                        model.land(*which.get(&flights), &fates);
                    }
                }
                Event::Pass(time) => model.now += time,
            }
            model.check_counts();
        }
        for flight in model.flights.keys().copied().collect::<Vec<_>>() {
            model.land(flight, &[]);
        }
        for _ in 0..=model.waiting.len() {
            model.now += limits::LONGEST_HOLD;
            while let Some(flight) = model.take() {
                model.land(flight, &[Fate::Published; limits::REQUEST_RECORDS]);
            }
        }
        model.check_counts();
        prop_assert_eq!(model.published.len(), model.added, "something was never published");
    }
}

#[test]
fn a_stream_that_is_refused_again_and_again_waits_longer_and_then_not_at_all() {
    let (mut queue, mut now) = (Queue::new(), Instant::now());
    queue.add(stream(1), Version(1), 10, ());
    let mut longest = Duration::ZERO;
    for refusals in 0..12 {
        let flight = queue.take(now).unwrap();
        queue.land(flight, &[Fate::Later], now);
        let wait = queue.released_at().unwrap() - now;
        let most = limits::HOLD.saturating_mul(1 << refusals).min(limits::LONGEST_HOLD);
        assert!(wait >= most / 2 && wait <= most, "{wait:?} after {refusals} refusals");
        longest = longest.max(wait);
        assert!(queue.take(now + wait - Duration::from_nanos(1)).is_none());
        now += wait;
    }
    assert!(longest >= limits::LONGEST_HOLD / 2);
    queue.add(stream(1), Version(2), 10, ());
    let flight = queue.take(now).unwrap();
    queue.land(flight, &[Fate::Published], now);
    assert!(queue.take(now).is_some(), "a success ends the waiting");
}

#[test]
fn a_request_is_full_at_the_limits_of_kinesis() {
    let mut queue = Queue::new();
    for id in 0..=limits::REQUEST_RECORDS {
        queue.add(StreamName::new("small", &id.to_string()).unwrap(), Version(1), 10, ());
    }
    let now = Instant::now();
    let flight = queue.take(now).unwrap();
    assert_eq!(queue.flight(flight).count(), limits::REQUEST_RECORDS);
    let flight = queue.take(now).unwrap();
    assert_eq!(queue.flight(flight).count(), 1);

    let mut queue = Queue::new();
    for id in 0..6 {
        queue.add(stream(id), Version(1), limits::RECORD_BYTES, ());
    }
    let flight = queue.take(now).unwrap();
    assert_eq!(queue.flight(flight).count(), limits::REQUEST_BYTES / limits::RECORD_BYTES);
}

#[test]
fn streams_take_turns() {
    let (mut queue, now) = (Queue::new(), Instant::now());
    for version in 1..100 {
        queue.add(stream(1), Version(version), limits::REQUEST_BYTES, 1);
    }
    queue.add(stream(2), Version(1), 10, 2);
    let first = queue.take(now).unwrap();
    queue.land(first, &[Fate::Published], now);
    let second = queue.take(now).unwrap();
    assert_eq!(
        queue.flight(second).copied().collect::<Vec<_>>(),
        [2],
        "one of many does not go before one of one"
    );
}
