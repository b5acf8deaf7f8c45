//! One worker's way to everything that is shared. Each call takes a while before and after what it does; it may be
//! refused, its answer may be lost, or it arrives much later; and at a call that was chosen the worker dies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_proof::simulation::{Random, lock};

use super::shared::Shared;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often it looks whether there is one.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    calls: u64,
    /// The call at which the worker dies, and whether it is carried out first.
    death: Option<(u64, bool)>,
    dead: bool,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    Refused,
    AnswerLost,
    /// It arrives after so many milliseconds.
    Late(u64),
}

impl Way {
    pub(crate) fn new(shared: &Arc<Shared>, number: usize, seed: u64, death: Option<(u64, bool)>) -> Self {
        let state = State { random: Random(seed), calls: 0, death, dead: false };
        Self { shared: Arc::clone(shared), number, state: Mutex::new(state) }
    }

    /// Whether the worker has died at the call that was chosen.
    pub(crate) fn is_dead(&self) -> bool {
        lock(&self.state).dead
    }

    pub(crate) fn calls(&self) -> u64 {
        lock(&self.state).calls
    }

    /// Carries out a call; `answer` says in words what came of it.
    pub(crate) async fn call<T, E>(
        &self,
        what: String,
        work: impl FnOnce(&Shared) -> Result<T, E> + Send + 'static,
        answer: impl Fn(&Result<T, E>) -> String + Send + 'static,
        failed: impl Fn() -> E + Send,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (fate, before, after, dies) = self.fate();
        if dies == Some(false) {
            self.die().await;
        }
        tokio::time::sleep(before).await;
        let number = self.number;
        let work = move |shared: &Shared| {
            let result = work(shared);
            shared.air.note(&format!("{number} {what}: {}", answer(&result)));
            result
        };
        let result = match fate {
            Fate::Refused => return Err(failed()),
            Fate::Late(delay) => self.late(delay, work).await,
            Fate::Well | Fate::AnswerLost => Some(work(&self.shared)),
        };
        if dies == Some(true) {
            self.die().await;
        }
        tokio::time::sleep(after).await;
        match result {
            Some(result) if fate != Fate::AnswerLost => result,
            _ => Err(failed()),
        }
    }

    /// Sends a call that arrives later; its answer, if it comes in time.
    async fn late<T: Send + 'static>(
        &self,
        delay: u64,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&place);
        let shared = Arc::clone(&self.shared);
        self.shared.air.send(delay, move || *lock(&place) = Some(work(&shared)));
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
            if let Some(answer) = lock(&answer).take() {
                return Some(answer);
            }
        }
        None
    }

    fn fate(&self) -> (Fate, Duration, Duration, Option<bool>) {
        let rarity = self.shared.air.rarity();
        let mut state = lock(&self.state);
        state.calls += 1;
        let dies = state.death.filter(|(call, _)| *call == state.calls).map(|(_, after)| after);
        let random = &mut state.random;
        let mut moment = || Duration::from_millis(random.below(8));
        let (before, after) = (moment(), moment());
        let fate = match () {
            () if random.one_in(rarity) => Fate::Refused,
            () if random.one_in(rarity) => Fate::AnswerLost,
            () if random.one_in(rarity * 2) => Fate::Late(random.below(12_000)),
            () => Fate::Well,
        };
        (fate, before, after, dies)
    }

    async fn die(&self) {
        lock(&self.state).dead = true;
        std::future::pending::<()>().await;
    }
}
