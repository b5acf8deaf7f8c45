//! Pauses between tries: doubling, bounded, with a random part so that two owners do not keep step.

use std::time::Duration;

use tokio::sync::watch;

use super::limits::{FIRST_PAUSE, LONGEST_PAUSE};
use crate::random::random;

/// The pauses of one piece of work that is tried until it is done.
#[derive(Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// Waits for the next pause.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next()).await;
    }

    /// Waits for the next pause, or less when a stop is asked for.
    pub async fn pause_or_stop(&mut self, stop: &Stop) {
        tokio::select! {
            biased;
            () = self.pause() => {}
            () = stop.requested() => {}
        }
    }

    fn next(&mut self) -> Duration {
        let full = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.tries)).min(LONGEST_PAUSE);
        self.tries = self.tries.saturating_add(1);
        let random = random() % 1_000;
        full / 2 + full.mul_f64(random as f64 / 2_000.0)
    }
}

/// Whether whoever reads a partition was asked to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The handle that asks, and what those who are asked hold.
    pub(super) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether it was.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is.
    pub async fn requested(&self) {
        // A sender that is gone means that the runner is gone: stop as well.
        let _ = self.0.clone().wait_for(|stop| *stop).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..50).map(|_| backoff.next()).collect();
        assert!(pauses.iter().all(|pause| *pause >= FIRST_PAUSE / 2 && *pause <= LONGEST_PAUSE));
        assert!(pauses.last().is_some_and(|last| *last >= LONGEST_PAUSE / 2));
    }
}
