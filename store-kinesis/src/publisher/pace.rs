//! When the next request may be sent: pauses that double while Kinesis throttles or fails, and a circuit breaker.
//!
//! What was in flight when a pause began says nothing that is not known, so answers to it neither lengthen nor end it.

use std::time::Duration;

use tokio::time::Instant;

use super::limits;

/// How Kinesis has answered lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    throttled: Pause,
    failing: Pause,
    error: String,
}

/// A pause that gets longer while there is reason for it.
#[derive(Debug, Default)]
struct Pause {
    /// How often in a row there was reason.
    times: u32,
    began: Option<Instant>,
    until: Option<Instant>,
}

impl Pace {
    /// A request was answered by a Kinesis that works.
    pub(super) fn went_through(&mut self, sent: Instant) {
        if self.failing.tells(sent) {
            self.failing = Pause::default();
        }
    }

    /// Nothing in a request was throttled.
    pub(super) fn untroubled(&mut self, sent: Instant) {
        if self.throttled.tells(sent) {
            self.throttled.times = self.throttled.times.saturating_sub(1);
        }
    }

    /// Kinesis throttled a request, or most of it.
    pub(super) fn throttled(&mut self, sent: Instant, now: Instant) {
        self.throttled.again(sent, now, limits::THROTTLE_PAUSE, limits::LONGEST_THROTTLE_PAUSE);
    }

    /// A request failed.
    pub(super) fn failed(&mut self, sent: Instant, now: Instant, error: String) {
        self.failing.again(sent, now, limits::FAILURE_PAUSE, limits::LONGEST_FAILURE_PAUSE);
        self.error = error;
    }

    /// Requests that may be in flight, or when to ask again.
    pub(super) fn requests(&self, now: Instant) -> Result<usize, Instant> {
        match self.pause_ends() {
            Some(until) if until > now => Err(until),
            // One request tells whether it is over; more would only add to the trouble.
            _ if self.is_throttled() || self.broken().is_some() => Ok(1),
            _ => Ok(limits::REQUESTS_IN_FLIGHT),
        }
    }

    /// When the pause ends, if there is one.
    pub(super) fn pause_ends(&self) -> Option<Instant> {
        self.throttled.until.max(self.failing.until)
    }

    /// Whether Kinesis takes less than it is given.
    pub(super) fn is_throttled(&self) -> bool {
        self.throttled.times > 0
    }

    /// The last error, when there were so many that the breaker is open.
    pub(super) fn broken(&self) -> Option<&str> {
        (self.failing.times >= limits::BREAKER_FAILURES).then_some(&*self.error)
    }
}

impl Pause {
    /// Whether the answer to a request that was sent then is news.
    fn tells(&self, sent: Instant) -> bool {
        self.began.is_none_or(|began| sent > began)
    }

    fn again(&mut self, sent: Instant, now: Instant, shortest: Duration, longest: Duration) {
        if self.tells(sent) {
            self.began = Some(now);
            self.until = Some(now + pause(shortest, self.times, longest));
            self.times = self.times.saturating_add(1);
        }
    }
}

/// A pause after so many others, with jitter: between a half and the whole of one that doubles up to the longest.
pub(super) fn pause(shortest: Duration, others: u32, longest: Duration) -> Duration {
    let doubled = shortest.saturating_mul(2_u32.saturating_pow(others)).min(longest);
    doubled.mul_f64(0.5 + fastrand::f64() / 2.0)
}
