//! How fast a generation gets on, and how far it is behind in a partition.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use headwater::store::{Behind, FeedBatch};
use tokio::time::Instant;

/// Over how many seconds a rate is taken.
const WINDOW_SECONDS: u64 = 10;

/// The events that a generation has applied in this process: how many, how many a second, and when the last.
#[derive(Debug)]
pub(crate) struct Tally {
    begun: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: u64,
    last: Option<Instant>,
    /// By second since the beginning, the newest last; no more than the window has.
    seconds: VecDeque<(u64, u64)>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { begun: Instant::now(), counts: Mutex::default() }
    }
}

impl Tally {
    /// So many events were applied just now.
    pub(crate) fn add(&self, events: u64) {
        if events == 0 {
            return;
        }
        let second = self.begun.elapsed().as_secs();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all += events;
        counts.last = Some(Instant::now());
        match counts.seconds.back_mut() {
            Some((last, count)) if *last == second => *count += events,
            _ => counts.seconds.push_back((second, events)),
        }
        while counts.seconds.front().is_some_and(|(first, _)| *first + WINDOW_SECONDS < second) {
            counts.seconds.pop_front();
        }
    }

    /// How many there were, how many a second lately, and how long ago the last.
    pub(crate) fn read(&self) -> (u64, f64, Option<Duration>) {
        let second = self.begun.elapsed().as_secs();
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = counts.seconds.iter().filter(|(at, _)| *at + WINDOW_SECONDS > second);
        let sum: u64 = lately.map(|(_, count)| count).sum();
        let span = WINDOW_SECONDS.min(second + 1);
        (counts.all, sum as f64 / span as f64, counts.last.map(|last| last.elapsed()))
    }
}

/// How far a generation is behind in a partition, as of its last batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// When the feed answered.
    pub(super) at: Instant,
    pub(super) behind: Behind,
    /// Records left, when the feed does not count them: as many as came in as much time.
    pub(super) guess: Option<u64>,
    /// Whether there was nothing more to read.
    pub(super) at_head: bool,
}

impl Pace {
    /// What a batch says.
    pub(super) fn of(batch: &FeedBatch, behind: Behind) -> Self {
        let first = batch.records.first().map(|record| record.commit.recorded_at);
        let last = batch.records.last().map(|record| record.commit.recorded_at);
        let span =
            first.zip(last).and_then(|(first, last)| Duration::try_from(last.duration_since(first)).ok());
        let dense = span.filter(|span| !span.is_zero()).zip(behind.time).filter(|_| batch.records.len() > 1);
        let guess = dense.map(|(span, time)| {
            (batch.records.len() as f64 * time.as_secs_f64() / span.as_secs_f64()).ceil() as u64
        });
        Self { at: Instant::now(), behind, guess, at_head: batch.records.is_empty() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_that_of_the_last_seconds_and_goes_down_when_nothing_comes() {
        let tally = Tally::default();
        for _ in 0..30 {
            tally.add(50);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let (all, rate, last) = tally.read();
        assert_eq!((all, last), (1_500, Some(Duration::from_millis(500))));
        assert!((90.0..=110.0).contains(&rate), "{rate}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (all, rate, last) = tally.read();
        assert_eq!((all, rate), (1_500, 0.0));
        assert!(last.is_some_and(|last| last > Duration::from_secs(59)));
    }
}
