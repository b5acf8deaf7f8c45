//! How fast one shard is asked: no faster than AWS allows, and not at all for a while after AWS said so.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// The turns at one shard. They are evenly spread: saved-up turns would break the limit of AWS, which counts seconds.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many turns a second, at least one.
    pub(super) fn new(per_second: u32) -> Self {
        Self { gap: Duration::from_secs(1) / per_second.max(1), next: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn and takes it.
    ///
    /// # Cancel safety
    /// Who is cancelled while waiting has taken no turn.
    pub(super) async fn turn(&self) {
        while let Err(next) = self.take() {
            tokio::time::sleep_until(next).await;
        }
    }

    /// Gives no turn for a while.
    pub(super) fn pause(&self, pause: Duration) {
        let mut next = self.next.lock().expect("no code panics while it holds this lock");
        *next = (*next).max(Instant::now() + pause);
    }

    /// Takes a turn, or says when there may be one.
    fn take(&self) -> Result<(), Instant> {
        let mut next = self.next.lock().expect("no code panics while it holds this lock");
        let now = Instant::now();
        if now < *next {
            return Err(*next);
        }
        *next = now + self.gap;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_turns_than_allowed_also_after_a_rest() {
        let pace = Pace::new(4);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let began = Instant::now();
        let mut turns = Vec::new();
        for _ in 0..12 {
            pace.turn().await;
            turns.push(began.elapsed());
        }
        assert_eq!(turns.first(), Some(&Duration::ZERO), "after a rest the first turn comes at once");
        let second = Duration::from_secs(1);
        for from in &turns {
            let within = turns.iter().filter(|turn| (*from..*from + second).contains(*turn)).count();
            assert!(within <= 5, "{turns:?}");
        }
        assert!(began.elapsed() <= Duration::from_secs(3), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_and_not_shortened_by_another() {
        let pace = Pace::new(1000);
        let began = Instant::now();
        pace.pause(Duration::from_secs(5));
        pace.pause(Duration::from_secs(1));
        pace.turn().await;
        assert!((5.0..5.1).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_has_taken_no_turn() {
        let pace = Pace::new(1);
        pace.turn().await;
        for _ in 0..100 {
            assert!(pace.turn().now_or_never().is_none());
        }
        let began = Instant::now();
        pace.turn().await;
        assert!(began.elapsed() <= Duration::from_millis(1010), "{:?}", began.elapsed());
    }
}
