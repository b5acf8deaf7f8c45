//! What is rebuilt: a projection, its type forgotten, and what filling a slot of it works with.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use headwater::EventStore;
use tokio::sync::OnceCell;

use super::compare::Differences;
use super::inspection::{PassedOver, Repaired, Verdict, Verified};
use super::job::tried;
use super::lanes::{Fold, Reading};
use super::ledger::LEDGER;
use super::limits::ROWS_SHARE;
use super::pace::Pace;
use super::progress::{Phase, Progress};
use super::shared::{Cut, Folded};
use super::write::Writing;
use super::{BackfillError, History, LedgerHistory, Slot, Survey, Verify};
use crate::group::LeaseStore;
use crate::rows::{Generation, RowError};
use crate::{Definition, DefinitionError, Parked, Projection, RowStore};

/// A projection that can be rebuilt. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Target(pub(super) Arc<dyn Rebuild>);

impl Target {
    /// A projection as a target.
    ///
    /// # Errors
    /// [`DefinitionError`] when its definition breaks a rule.
    pub fn of<P: Projection>() -> Result<Self, DefinitionError> {
        Ok(Self(Arc::new(Typed { definition: Definition::<P>::new()? })))
    }

    /// The name of the projection.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The version of its code.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version()
    }
}

/// What filling works with.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) ledger: Arc<dyn EventStore>,
    pub(super) leases: Arc<dyn LeaseStore>,
    pub(super) group: Arc<str>,
    pub(super) history: Arc<dyn History>,
    pub(super) survey: Survey,
    pub(super) rows: Arc<dyn RowStore>,
    pub(super) generation: Generation,
    /// Its indexes.
    pub(super) indexes: &'static [&'static str],
    /// Set once its table is made.
    pub(super) made: OnceCell<()>,
    pub(super) memory_bytes: usize,
    pub(super) verify: Verify,
    pub(super) dry_run: bool,
    pub(super) reading: Reading,
    pub(super) pace: Pace,
    pub(super) progress: Arc<Progress>,
    pub(super) differences: Differences,
    /// Up to where the streams of a shared projection count, once it is known.
    pub(super) cut: Mutex<Option<Arc<Cut>>>,
    /// The rows of a shared projection, when they came out together with the cut.
    pub(super) ready: Mutex<Option<Vec<Folded>>>,
}

impl Context {
    /// What writes and reads rows of the generation. It is there when the table of the generation is, so a slot that is
    /// done without a row has a table as well.
    pub(super) async fn writing(&self) -> Result<Writing<'_>, RowError> {
        self.table().await?;
        Ok(Writing {
            rows: self.rows.as_ref(),
            generation: &self.generation,
            pace: &self.pace,
            progress: &self.progress,
        })
    }

    /// Sees to it that the table of the generation is made, once for all who ask.
    pub(super) async fn table(&self) -> Result<(), RowError> {
        let make = || tried(|| self.rows.prepare(&self.generation, self.indexes));
        self.made.get_or_try_init(make).await.copied()
    }

    /// Works while the table is made: a fold needs none, and one on AWS takes ten seconds. A table that cannot be made
    /// ends the work at once.
    pub(super) async fn beside_table<T>(
        &self,
        work: impl Future<Output = Result<T, BackfillError>>,
    ) -> Result<T, BackfillError> {
        if self.dry_run {
            return work.await;
        }
        let (mut work, mut table) = (std::pin::pin!(work), std::pin::pin!(self.table()));
        let mut is_made = false;
        loop {
            tokio::select! {
                done = &mut work => return done,
                made = &mut table, if !is_made => {
                    made?;
                    is_made = true;
                }
            }
        }
    }

    /// Whether every row that was compared is what it should be.
    pub(super) fn judge(&self) -> Result<(), BackfillError> {
        let (_, count, first) = self.differences.found();
        first.iter().for_each(|difference| self.progress.note(difference.to_string()));
        match first.into_iter().next() {
            None => Ok(()),
            Some(first) => Err(BackfillError::Differs { count, first: first.key }),
        }
    }

    /// What rows and streams may take of the memory.
    pub(super) fn rows_bytes(&self) -> usize {
        (self.memory_bytes as f64 * ROWS_SHARE) as usize
    }

    /// Folds the whole history. What is damaged in it, the ledger makes good: all of it is read as well.
    pub(super) async fn pass(&self, fold: &Arc<dyn Fold>) -> Result<(), BackfillError> {
        self.progress.enter(Phase::Folding);
        let damage =
            self.reading.pass(&self.history, &self.survey, fold, self.history.kind() == LEDGER).await?;
        if damage.is_empty() {
            return Ok(());
        }
        for damage in &damage {
            tracing::warn!(%damage, "history is damaged: the ledger fills it in");
        }
        let count = damage.len();
        self.progress
            .note(format!("{count} parts of the history are damaged: the whole ledger is read as well"));
        let ledger = LedgerHistory::new(Arc::clone(&self.ledger), Arc::clone(&self.leases), &self.group);
        let ledger: Arc<dyn History> = Arc::new(ledger);
        let survey = ledger.survey().await?;
        let damage = self.reading.pass(&ledger, &survey, fold, true).await?;
        match damage.into_iter().next() {
            None => Ok(()),
            Some(damage) => Err(super::HistoryError::Damaged(damage).into()),
        }
    }
}

/// What became of a slot.
#[derive(Debug)]
pub(super) enum Filled {
    /// Its rows are written.
    Done,
    /// It does not fit into memory.
    TooLarge,
    /// A stream of a shared projection fails in this slot, and others may have its events already.
    Poisoned(Box<Parked>),
}

/// A target's own part of the work.
#[async_trait]
pub(super) trait Rebuild: Send + Sync + fmt::Debug {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn shared(&self) -> bool;
    fn indexes(&self) -> &'static [&'static str];
    /// Settles up to where the streams of a shared projection count; `done` if that was settled before.
    async fn settle(&self, context: &Context, done: bool) -> Result<(), BackfillError>;
    /// Folds a slot and writes its rows.
    async fn fill(&self, context: &Context, slot: Slot) -> Result<Filled, BackfillError>;
    /// Compares live rows.
    async fn verify(
        &self,
        context: &Context,
        which: Verify,
        passed_over: &PassedOver,
    ) -> Result<Verified, BackfillError>;
    /// Compares one live row.
    async fn look(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Verdict, BackfillError>;
    /// Writes one live row anew.
    async fn repair(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Repaired, BackfillError>;
}

#[derive(Debug)]
pub(super) struct Typed<P> {
    pub(super) definition: Definition<P>,
}

#[async_trait]
impl<P: Projection> Rebuild for Typed<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn version(&self) -> u32 {
        P::VERSION
    }
    fn shared(&self) -> bool {
        P::SHARED
    }
    fn indexes(&self) -> &'static [&'static str] {
        P::INDEXES
    }
    async fn settle(&self, context: &Context, done: bool) -> Result<(), BackfillError> {
        if P::SHARED { context.beside_table(self.settle_cut(context, done)).await } else { Ok(()) }
    }
    async fn fill(&self, context: &Context, slot: Slot) -> Result<Filled, BackfillError> {
        match P::SHARED {
            true => context.beside_table(self.fill_shared(context, slot)).await,
            false => context.beside_table(self.fill_own(context, slot)).await,
        }
    }
    async fn verify(
        &self,
        context: &Context,
        which: Verify,
        passed_over: &PassedOver,
    ) -> Result<Verified, BackfillError> {
        match P::SHARED {
            true => self.verify_shared(context, passed_over).await,
            false => self.verify_own(context, which, passed_over).await,
        }
    }
    async fn look(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Verdict, BackfillError> {
        match P::SHARED {
            true => self.look_shared(context, key, passed_over).await,
            false => self.look_own(context, key, passed_over).await,
        }
    }
    async fn repair(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Repaired, BackfillError> {
        match P::SHARED {
            true => self.repair_shared(context, key, passed_over).await,
            false => self.repair_own(context, key, passed_over).await,
        }
    }
}
