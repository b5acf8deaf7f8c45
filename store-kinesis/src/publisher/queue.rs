//! What waits to be published, and which of it goes into the next request.
//!
//! Of each stream of events there is a line, lowest version first, and at most one of it is in flight. Streams take
//! turns: a stream that had its turn goes behind all others that are ready. Not here: when a request may be sent.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use headwater::{StreamName, Version};
use tokio::time::Instant;

use super::limits;
use super::pace::pause;

/// What waits and what is in flight. `T` is what it all is about: opaque here.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// A stream has a line while it is either ready, or held, or in flight.
    lines: HashMap<StreamName, Line<T>>,
    /// Streams that may be in the next request, in the order of their turns.
    ready: VecDeque<StreamName>,
    /// Streams whose record was refused, and until when they wait.
    held: BTreeSet<(Instant, StreamName)>,
    flights: HashMap<FlightId, Flight<T>>,
    /// Flights that ever began.
    begun: u64,
    /// Arrival numbers of everything that was added and is not published.
    open: BTreeSet<u64>,
    arrivals: u64,
    bytes: usize,
    in_flight: usize,
}

/// A request that was taken from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlightId(u64);

/// What waits of one stream.
#[derive(Debug)]
struct Line<T> {
    waiting: BTreeMap<(Version, u64), Waiting<T>>,
    /// Refusals of its record in a row.
    refusals: u32,
}

#[derive(Debug)]
struct Waiting<T> {
    stream: StreamName,
    version: Version,
    arrival: u64,
    bytes: usize,
    /// Whether it goes in a request of its own, because one that it was in was refused.
    alone: bool,
    content: T,
}

#[derive(Debug)]
struct Flight<T> {
    sent: Instant,
    records: Vec<Waiting<T>>,
}

/// What becomes of a record after its flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is published.
    Published,
    /// It goes again as soon as anything does.
    Again,
    /// It goes again after a while.
    Later,
    /// It goes again after a while, in a request of its own.
    Alone,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            lines: HashMap::new(),
            ready: VecDeque::new(),
            held: BTreeSet::new(),
            flights: HashMap::new(),
            begun: 0,
            open: BTreeSet::new(),
            arrivals: 0,
            bytes: 0,
            in_flight: 0,
        }
    }

    /// Adds what is to be published. `bytes` bound its record, partition key included.
    pub(super) fn add(&mut self, stream: StreamName, version: Version, bytes: usize, content: T) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.open.insert(arrival);
        self.bytes += bytes;
        let line = self.lines.entry(stream.clone()).or_insert_with(|| {
            self.ready.push_back(stream.clone());
            Line { waiting: BTreeMap::new(), refusals: 0 }
        });
        let waiting = Waiting { stream, version, arrival, bytes, alone: false, content };
        line.waiting.insert((version, arrival), waiting);
    }

    /// Takes the next request, if anything is ready.
    pub(super) fn take(&mut self, now: Instant) -> Option<FlightId> {
        self.release(now);
        let (mut records, mut bytes) = (Vec::new(), 0);
        while let Some(record) = self.next(records.len(), bytes) {
            bytes += record.bytes;
            let last = record.alone;
            records.push(record);
            if last {
                break;
            }
        }
        if records.is_empty() {
            return None;
        }
        self.in_flight += records.len();
        let id = FlightId(self.begun);
        self.begun += 1;
        self.flights.insert(id, Flight { sent: now, records });
        Some(id)
    }

    /// What is in a flight, in order.
    pub(super) fn flight(&self, id: FlightId) -> impl Iterator<Item = &T> {
        self.flights.get(&id).into_iter().flat_map(|flight| &flight.records).map(|record| &record.content)
    }

    /// When a flight was sent.
    pub(super) fn sent(&self, id: FlightId) -> Option<Instant> {
        self.flights.get(&id).map(|flight| flight.sent)
    }

    /// Ends a flight; gives back what is published, in order. Records without a fate go again later.
    pub(super) fn land(&mut self, id: FlightId, fates: &[Fate], now: Instant) -> Vec<T> {
        let mut published = Vec::new();
        let Some(flight) = self.flights.remove(&id) else { return published };
        self.in_flight -= flight.records.len();
        let fates = fates.iter().copied().chain(std::iter::repeat(Fate::Later));
        for (mut record, fate) in flight.records.into_iter().zip(fates) {
            let line = self.lines.get_mut(&record.stream).expect("a stream in flight has a line");
            let stream = record.stream.clone();
            if fate == Fate::Published {
                self.open.remove(&record.arrival);
                self.bytes -= record.bytes;
                line.refusals = 0;
                published.push(record.content);
                if line.waiting.is_empty() {
                    self.lines.remove(&stream);
                    continue;
                }
            } else {
                record.alone |= fate == Fate::Alone;
                line.waiting.insert((record.version, record.arrival), record);
            }
            if matches!(fate, Fate::Later | Fate::Alone) {
                let hold = pause(limits::HOLD, line.refusals, limits::LONGEST_HOLD);
                line.refusals += 1;
                self.held.insert((now + hold, stream));
            } else {
                self.ready.push_back(stream);
            }
        }
        published
    }

    /// When the next stream stops waiting after a refusal.
    pub(super) fn released_at(&self) -> Option<Instant> {
        self.held.first().map(|(until, _)| *until)
    }

    /// The number below which every arrival is published: what is added from now on has at least
    /// [`arrivals`](Self::arrivals).
    pub(super) fn published_below(&self) -> u64 {
        self.open.first().copied().unwrap_or(self.arrivals)
    }

    /// How many numbers were given out.
    pub(super) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Commits that are not published, those in flight included.
    pub(super) fn commits(&self) -> usize {
        self.open.len()
    }

    /// Bytes of them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Commits in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Requests in flight.
    pub(super) fn flights(&self) -> usize {
        self.flights.len()
    }

    /// Puts streams that have waited long enough among those that are ready.
    fn release(&mut self, now: Instant) {
        while self.held.first().is_some_and(|(until, _)| *until <= now) {
            self.ready.extend(self.held.pop_first().map(|(_, stream)| stream));
        }
    }

    /// The next record, if it fits behind so many others of so many bytes. A record that is too large for any request
    /// goes alone: Kinesis may have been told to take it, and if not, nothing but its stream waits for it.
    fn next(&mut self, records: usize, bytes: usize) -> Option<Waiting<T>> {
        let line = self.lines.get_mut(self.ready.front()?).expect("a stream that is ready has a line");
        let first = line.waiting.first_entry().expect("something waits in a line that is not in flight");
        let full = records == limits::REQUEST_RECORDS || bytes + first.get().bytes > limits::REQUEST_BYTES;
        if records > 0 && (full || first.get().alone) {
            return None;
        }
        let first = first.remove();
        self.ready.pop_front();
        Some(first)
    }
}
