//! What a worker does about the catching up of its group: it asks, takes the pass, and gives it up when it leaves.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

use super::pass::{Pass, Places};
use super::rounds::Rounds;
use crate::group::limits::CALL_PATIENCE;
use crate::group::{CatchUp, CatchingUp, Item, LeaseStore, Saved, ask};

/// Writes down that generations have to catch up from the ledger, before anybody goes on without what was lost.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    pub(super) store: Arc<dyn LeaseStore>,
    pub(super) group: Arc<str>,
}

/// The pass under way here, if there is one.
#[derive(Debug, Default)]
pub(super) struct Passes {
    tasks: JoinSet<Result<(), JoinError>>,
    places: Option<Arc<Places>>,
    release: watch::Sender<bool>,
}

impl Asks {
    /// Whether it is written down for sure.
    pub(super) async fn ask(&self, generations: &BTreeSet<Arc<str>>) -> bool {
        let reason = match timeout(CALL_PATIENCE, ask(&*self.store, &self.group, generations)).await {
            Ok(Ok(())) => {
                tracing::info!(?generations, "the ledger is to be read for them");
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            reason,
            ?generations,
            "it cannot be noted that the ledger is to be read, trying again"
        );
        false
    }
}

impl Passes {
    /// Waits until the pass has ended; not at all ready when there is none.
    ///
    /// # Errors
    /// When it panicked.
    pub(super) async fn ended(&mut self) -> Result<(), JoinError> {
        let Some(ended) = self.tasks.join_next().await else { return std::future::pending().await };
        self.places = None;
        ended?
    }

    /// Releases the pass, after the pages under way.
    pub(super) async fn leave(&mut self) -> Result<(), JoinError> {
        self.release.send_replace(true);
        if self.tasks.is_empty() { Ok(()) } else { self.ended().await }
    }

    /// How far the pass under way here has come.
    pub(super) fn places(&self) -> Option<Arc<Places>> {
        self.places.clone()
    }
}

impl Rounds {
    /// The generations that may be read for here: those that are kept and not paused.
    pub(super) fn able(&self) -> BTreeSet<Arc<str>> {
        let kept = self.control.all_kept();
        let able = kept.iter().filter(|kept| !self.control.is_paused(kept.handler.name()));
        able.map(|kept| Arc::clone(&kept.generation)).collect()
    }

    /// Does what was decided about catching up. What fails is tried again in the next round.
    pub(super) async fn catch_up(&mut self, decided: CatchingUp) {
        match decided {
            // A group that does other work than keeping rows catches up by its own means.
            _ if self.ledger.is_none() => {}
            CatchingUp::Ask(generations) => {
                self.asks.ask(&generations).await;
            }
            CatchingUp::Take(item) if self.passes.tasks.is_empty() => self.begin(&item).await,
            CatchingUp::Take(_) | CatchingUp::Nothing => {}
        }
    }

    /// Takes the pass and begins to read, or goes on where another worker has left it.
    async fn begin(&mut self, item: &CatchUp) {
        let Some(ledger) = self.ledger.clone() else { return };
        let taken = item.taken_by(&self.me.id, &self.able());
        let begun = Instant::now();
        let save = Item::CatchUp(taken.clone());
        let saving = self.store.save(&self.group, &save, Some(item.counter));
        if !matches!(timeout(CALL_PATIENCE, saving).await, Ok(Ok(Saved::Done))) {
            // Somebody was first, or the answer was lost: the next round sees what is there.
            return;
        }
        let kept = self.control.all_kept();
        let reads_for =
            kept.iter().filter(|kept| taken.reading.contains(&kept.generation)).cloned().collect();
        let places = Arc::new(Places::from(&taken));
        let pass = Pass {
            store: Arc::clone(&self.store),
            group: Arc::clone(&self.group),
            ledger,
            item: taken,
            saved_at: begun,
            reads_for,
            places: Arc::clone(&places),
            release: self.passes.release.subscribe(),
            paused: self.control.paused(),
            kept: self.control.keeping(),
        };
        self.passes.places = Some(places);
        self.passes.tasks.spawn(pass.run());
    }
}
