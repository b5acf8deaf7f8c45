//! The calls of one worker: how long each is on its way, and at which one the worker dies.

use std::sync::Mutex;
use std::time::Duration;

use super::{Random, lock};

/// The calls of a worker, counted.
#[derive(Debug)]
pub struct Calls(Mutex<State>);

#[derive(Debug)]
struct State {
    random: Random,
    count: u64,
    /// The call at which the worker dies, and whether it is carried out first.
    death: Option<(u64, bool)>,
    dead: bool,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call<F> {
    /// What becomes of it.
    pub fate: F,
    /// How long it takes before anything is done.
    pub before: Duration,
    /// How long its answer takes.
    pub after: Duration,
    /// Whether the worker dies at it, and if so whether it is carried out first.
    pub dies: Option<bool>,
}

impl Calls {
    /// Calls from a seed, and at which of them the worker dies, carried out first or not.
    #[must_use]
    pub fn new(seed: u64, death: Option<(u64, bool)>) -> Self {
        Self(Mutex::new(State { random: Random(seed), count: 0, death, dead: false }))
    }

    /// One more: on its way for less than so many milliseconds in each direction, and then its fate is drawn.
    pub fn one_more<F>(&self, millis: u64, fate: impl FnOnce(&mut Random) -> F) -> Call<F> {
        let mut state = lock(&self.0);
        state.count += 1;
        let dies = state.death.filter(|(call, _)| *call == state.count).map(|(_, after)| after);
        let random = &mut state.random;
        let mut moment = || Duration::from_millis(random.below(millis));
        let (before, after) = (moment(), moment());
        Call { fate: fate(random), before, after, dies }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        lock(&self.0).count
    }

    /// The worker dies at the call after so many more.
    pub fn dies_after(&self, calls: u64, carried_out: bool) {
        let mut state = lock(&self.0);
        state.death = Some((state.count + calls + 1, carried_out));
    }

    /// Whether the worker has died at the call that was chosen.
    pub fn is_dead(&self) -> bool {
        lock(&self.0).dead
    }

    /// The worker dies: it never gets on from here.
    pub async fn die(&self) {
        lock(&self.0).dead = true;
        std::future::pending::<()>().await;
    }
}
