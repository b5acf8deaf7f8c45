//! One worker's way to everything that is shared. Each call takes a while before and after what it does; it may be
//! refused, its answer may be lost, or it arrives much later; and at a call that was chosen the worker dies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_proof::simulation::{Call, Calls, lock};

use super::shared::Shared;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often it looks whether there is one.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
    calls: Calls,
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
        Self { shared: Arc::clone(shared), number, calls: Calls::new(seed, death) }
    }

    /// Whether the worker has died at the call that was chosen.
    pub(crate) fn is_dead(&self) -> bool {
        self.calls.is_dead()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.count()
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
        let Call { fate, before, after, dies } = self.next();
        if dies == Some(false) {
            self.calls.die().await;
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
            self.calls.die().await;
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

    fn next(&self) -> Call<Fate> {
        let rarity = self.shared.air.rarity();
        self.calls.one_more(8, |random| match () {
            () if random.one_in(rarity) => Fate::Refused,
            () if random.one_in(rarity) => Fate::AnswerLost,
            () if random.one_in(rarity * 2) => Fate::Late(random.below(12_000)),
            () => Fate::Well,
        })
    }
}
