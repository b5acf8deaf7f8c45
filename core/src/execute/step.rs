//! A command on its way: the stream it is for, the shared state it is decided on, and how sure that state is.

use std::sync::Arc;

use super::cache::{Shared, StateCache};
use super::decide::{Decision, decide};
use super::fold::{Fold, FoldError};
use super::{Options, limits};
use crate::codec::EncodeError;
use crate::key::{KeyedCommand, Seen};
use crate::store::{Conflict, Consistency, EventStore, Read, StoreError};
use crate::{Aggregate, Commit, EventStoreExt, StreamName, Version};

/// A command for one stream.
pub(super) struct Step<A: Aggregate> {
    command: A::Command,
    known: Arc<Shared<A>>,
    /// The head the state was compared with after the command came in.
    confirmed: Option<Version>,
    /// How often it was compared.
    confirmations: u32,
}

impl<A: Aggregate> Step<A> {
    /// Takes the state from the cache, or loads it.
    pub(super) async fn open(
        store: &dyn EventStore,
        cache: &StateCache,
        stream: &StreamName,
        command: A::Command,
    ) -> Result<Self, FoldError> {
        let (known, confirmed) = match cache.get(stream) {
            Some(known) => (known, None),
            None => {
                let fold = Fold::load(store, stream, Consistency::Eventual).await?;
                let confirmed = (!store.capabilities().stale_reads).then_some(fold.version);
                let known = Shared::new(stream, fold);
                cache.insert(&known);
                (known, confirmed)
            }
        };
        Ok(Self { command, known, confirmed, confirmations: 0 })
    }

    /// The stream.
    pub(super) fn stream(&self) -> &StreamName {
        &self.known.stream
    }

    /// What the state knows of a key, and whether it is known to have been the head.
    pub(super) fn seen(&self, keyed: &KeyedCommand) -> (Seen, bool) {
        let fold = self.known.lock();
        (fold.keys.seen(keyed), self.is_confirmed(fold.version))
    }

    /// Decides on the state as it is now; also its version, and whether it is known to have been the head.
    pub(super) fn decide(
        &self,
        store: &dyn EventStore,
        keyed: Option<&KeyedCommand>,
        options: &Options,
    ) -> Result<(Decision<A>, Version, bool), EncodeError> {
        let fold = self.known.lock();
        let command = self.command.clone();
        let decision = decide(self.stream(), &fold, command, keyed, options, &store.capabilities())?;
        Ok((decision, fold.version, self.is_confirmed(fold.version)))
    }

    fn is_confirmed(&self, version: Version) -> bool {
        self.confirmed.is_some_and(|head| version >= head)
    }

    /// Reads what came after the state, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] after [`limits::CONFIRMATIONS`] readings for one command.
    pub(super) async fn confirm(&mut self, store: &dyn EventStore) -> Result<(), FoldError> {
        while self.confirmations < limits::CONFIRMATIONS {
            self.confirmations += 1;
            let known = self.known.lock().version;
            let commits = store.read_all(self.stream(), Read::after(known)).await?;
            let mut fold = self.known.lock();
            // Somebody tore the state meanwhile and it began anew: what was read does not follow it.
            if fold.version < known {
                continue;
            }
            for commit in &commits {
                fold.fold(commit)?;
            }
            self.confirmed = Some(fold.version);
            return Ok(());
        }
        let attempted = format!("compare the state of stream {} with its head", self.stream());
        let source =
            format!("others changed or tore it during {} readings: try again", limits::CONFIRMATIONS);
        Err(StoreError::Unavailable { attempted, source: source.into() }.into())
    }

    /// Catches up with who was faster: from the winner's commit at hand, else by reading.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn EventStore,
        conflict: &Conflict,
    ) -> Result<(), FoldError> {
        if let Some(winner) = conflict.winner.as_ref() {
            let mut fold = self.known.lock();
            if winner.first <= fold.version.next() {
                fold.fold(winner)?;
            }
            if fold.version >= conflict.actual {
                // A remote store names at least the end of the winner: enough to append, not to refuse.
                self.confirmed = (!store.capabilities().stale_reads).then_some(conflict.actual);
                return Ok(());
            }
        }
        self.confirm(store).await
    }

    /// Takes over a commit of this command.
    pub(super) fn advance(&self, commit: &Commit, events: &[A::Event]) {
        self.known.lock().fold_decided(commit, events);
    }
}
