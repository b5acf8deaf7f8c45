//! Queue and pace together: which requests are sent now, and what an answer means.

use headwater::{StreamName, Version};
use tokio::time::Instant;

use super::answer::{Answer, Outcome, Place};
use super::pace::Pace;
use super::queue::{Fate, FlightId, Queue};
use super::state::Condition;

/// The publisher without its input and output.
#[derive(Debug)]
pub(super) struct Machine<T> {
    pub(super) queue: Queue<T>,
    pub(super) pace: Pace,
    /// When something was published last, or began to wait while nothing else did.
    alive: Instant,
}

/// What an answer brought.
#[derive(Debug)]
pub(super) struct Landed<T> {
    /// What is published.
    pub(super) published: Vec<T>,
    /// Where.
    pub(super) places: Vec<Place>,
}

impl<T> Machine<T> {
    pub(super) fn new(now: Instant) -> Self {
        Self { queue: Queue::new(), pace: Pace::default(), alive: now }
    }

    /// Adds what is to be published. `bytes` bound its record, partition key included.
    pub(super) fn add(&mut self, now: Instant, key: (StreamName, Version), bytes: usize, content: T) {
        if self.queue.commits() == 0 {
            self.alive = now;
        }
        self.queue.add(key.0, key.1, bytes, content);
    }

    /// The next request that may be sent now.
    pub(super) fn next(&mut self, now: Instant) -> Option<FlightId> {
        let allowed = self.pace.requests(now).unwrap_or(0);
        (self.queue.flights() < allowed).then(|| self.queue.take(now)).flatten()
    }

    /// When there may be a next request even if nothing is added and nothing answered until then.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        if self.queue.commits() == self.queue.in_flight() {
            return None;
        }
        match self.pace.requests(now) {
            Err(until) => Some(until),
            Ok(allowed) if self.queue.flights() >= allowed => None,
            Ok(_) => self.queue.released_at(),
        }
    }

    /// Takes in the answer to a request.
    pub(super) fn answered(&mut self, flight: FlightId, answer: Answer, now: Instant) -> Landed<T> {
        let sent = self.queue.sent(flight).unwrap_or(now);
        let records = self.queue.flight(flight).count();
        let mut places = Vec::new();
        let fates = match answer {
            Answer::Each(outcomes) => self.each(outcomes, records, sent, now, &mut places),
            Answer::Throttled => {
                self.pace.went_through(sent);
                self.pace.throttled(sent, now);
                vec![Fate::Again; records]
            }
            Answer::Failed(error) => {
                self.pace.failed(sent, now, error);
                vec![Fate::Again; records]
            }
            Answer::Refused(error) => {
                self.pace.failed(sent, now, error);
                vec![Fate::Alone; records]
            }
        };
        let published = self.queue.land(flight, &fates, now);
        if !published.is_empty() {
            self.alive = now;
        }
        Landed { published, places }
    }

    /// How it is going.
    pub(super) fn condition(&self) -> Condition {
        match self.pace.broken() {
            Some(error) => Condition::Broken { error: error.to_owned() },
            None if self.pace.is_throttled() => Condition::Throttled,
            None => Condition::Flowing,
        }
    }

    /// Since when something waits and nothing is published.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        (self.queue.commits() > 0).then_some(self.alive)
    }

    fn each(
        &mut self,
        outcomes: Vec<Outcome>,
        records: usize,
        sent: Instant,
        now: Instant,
        places: &mut Vec<Place>,
    ) -> Vec<Fate> {
        let (mut throttled, mut failure) = (0, None);
        let fates: Vec<Fate> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Published(place) => {
                    places.push(place);
                    Fate::Published
                }
                Outcome::Throttled => {
                    throttled += 1;
                    Fate::Later
                }
                Outcome::Failed(error) => {
                    failure = Some(error);
                    Fate::Later
                }
            })
            .collect();
        match failure {
            Some(error) if places.is_empty() && throttled == 0 => self.pace.failed(sent, now, error),
            _ => self.pace.went_through(sent),
        }
        if throttled * 2 >= records {
            self.pace.throttled(sent, now);
        } else if throttled == 0 {
            self.pace.untroubled(sent);
        }
        fates
    }
}
