//! The clock of a worker.

use std::time::Duration;

use super::Random;

/// How fast time goes by for a worker, and whether it stands still.
#[derive(Debug)]
pub struct Clock {
    /// Percent of the world's time.
    pace: u64,
    asleep: Option<Sleep>,
}

#[derive(Debug, Clone, Copy)]
struct Sleep {
    since: u64,
    until: u64,
    clock_goes_on: bool,
}

/// A turn in which a worker lives.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// How long, by its own clock.
    pub lives: Duration,
    /// Whether it was asleep before.
    pub wakes: bool,
    /// By how much its clock has jumped.
    pub jumps: Duration,
}

impl Clock {
    /// A clock that goes a little faster or slower than others.
    #[must_use]
    pub fn new(random: &mut Random) -> Self {
        Self { pace: 70 + random.below(60), asleep: None }
    }

    /// The worker stands still for so long. Its clock goes on, as under SIGSTOP, and with SIGCONT everything is due at
    /// once; or it stands still, too, as while its machine is moved. `false` when it is asleep already.
    pub fn stand(&mut self, now: u64, millis: u64, clock_goes_on: bool) -> bool {
        let stands = self.asleep.is_none();
        if stands {
            self.asleep = Some(Sleep { since: now, until: now + millis, clock_goes_on });
        }
        stands
    }

    /// The worker wakes with its next turn.
    pub fn wake(&mut self) {
        self.asleep = self.asleep.map(|sleep| Sleep { until: 0, ..sleep });
    }

    /// Lets the worker live for so much of the world's time; nothing while it is asleep.
    pub fn turn(&mut self, now: u64, millis: u64) -> Option<Turn> {
        let lives = Duration::from_millis((millis * self.pace / 100).max(1));
        let Some(sleep) = self.asleep else {
            return Some(Turn { lives, wakes: false, jumps: Duration::ZERO });
        };
        if now < sleep.until {
            return None;
        }
        self.asleep = None;
        let slept = if sleep.clock_goes_on { now - sleep.since } else { 0 };
        Some(Turn { lives, wakes: true, jumps: Duration::from_millis(slept) })
    }
}
