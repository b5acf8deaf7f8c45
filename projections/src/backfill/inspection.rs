//! A standing comparison of live rows with the ledger, and putting a single row right.
//!
//! A row is compared with a fold of its streams up to the versions that it has. So a row that is merely behind does not
//! differ, and nothing has to stand still while it is looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use headwater::{EventStore, StreamName, Version};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::compare::Differences;
use super::job::tried;
use super::lanes::Reading;
use super::pace::Pace;
use super::progress::{Phase, Progress};
use super::switch::Switch;
use super::target::{Context, Target};
use super::{BackfillError, Budget, Difference, History, LedgerHistory, Survey, Verify};
use crate::group::LeaseStore;
use crate::rows::{Generation, List, MAX_PAGE_ROWS};
use crate::{AuditAction, AuditTarget, RowStore};

/// What looks at the live rows of a projection.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The projection.
    pub target: Target,
    /// The ledger.
    pub ledger: Arc<dyn EventStore>,
    /// The rows.
    pub rows: Arc<dyn RowStore>,
    /// Where it is kept which generation is live.
    pub leases: Arc<dyn LeaseStore>,
    /// The group that keeps the projection.
    pub group: Arc<str>,
    /// Bytes that rows of a shared projection may take in memory while they are folded.
    pub memory_bytes: usize,
    /// To be shown.
    pub progress: Arc<Progress>,
}

/// What a comparison has found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// The number of the live generation.
    pub generation: u32,
    /// Rows that were compared.
    pub compared: u64,
    /// Rows that are not what their streams give.
    pub different: u64,
    /// The first of those.
    pub differences: Vec<Difference>,
    /// Rows of which the ledger has later versions: they are right as far as they are. Counted when all are compared.
    pub behind: u64,
    /// Rows that changed whenever they were looked at, and were not compared.
    pub moving: u64,
    /// Rows of streams of which events were passed over by order: they cannot be compared.
    pub passed_over: u64,
}

/// How a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is what its streams give, and nothing is missing.
    Same,
    /// It is what its stream gives up to the version that it has; the ledger has later ones.
    Behind,
    /// It is not what its streams give.
    Differs(Difference),
    /// It changed whenever it was looked at.
    Moving,
    /// Events of its stream were passed over by order, so a fold gives something else rightly.
    PassedOver,
}

/// What became of a row that was to be put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repaired {
    /// The number of the live generation.
    pub generation: u32,
    /// What was different; nothing if the row was right already.
    pub difference: Option<Difference>,
    /// The revision it has now.
    pub revision: u64,
}

/// What was passed over by order in a generation.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    streams: BTreeSet<StreamName>,
}

impl PassedOver {
    pub(super) fn has(&self, stream: &StreamName) -> bool {
        self.streams.contains(stream)
    }

    pub(super) fn any(&self) -> Option<&StreamName> {
        self.streams.first()
    }
}

impl Inspection {
    /// Compares live rows with a fold of the ledger: a sample, or all of them. A projection that several streams feed is
    /// compared as a whole.
    ///
    /// # Errors
    /// [`BackfillError::OtherVersion`] when the live rows were made by other code than this;
    /// [`BackfillError::PassedOver`] when events of a shared projection were passed over by order, so that no fold gives
    /// its rows.
    ///
    /// # Cost
    /// Of rows fed by one stream each: all rows once, and each stream that is compared; the names of all streams, which
    /// is the whole ledger, when all are compared. Of a shared projection: the ledger twice and all rows twice; as much
    /// again for rows that changed meanwhile.
    pub async fn verify(&self, which: Verify) -> Result<Verified, BackfillError> {
        let context = self.context(which).await?;
        self.progress.enter(Phase::Verifying);
        let passed_over = passed_over(&context).await?;
        let mut found = self.target.0.verify(&context, which, &passed_over).await?;
        found.generation = context.generation.number;
        self.progress.enter(Phase::Done);
        Ok(found)
    }

    /// Compares one row.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    ///
    /// # Cost
    /// One row and its stream; of a shared projection the whole ledger, twice.
    pub async fn look(&self, key: &str) -> Result<Verdict, BackfillError> {
        let context = self.context(Verify::All).await?;
        let passed_over = passed_over(&context).await?;
        self.target.0.look(&context, key, &passed_over).await
    }

    /// Writes one row anew from the ledger, under the condition that it is as it was when it was read. Whoever loses
    /// against the process that keeps it begins again, and that process likewise: neither undoes what the other did.
    ///
    /// A row fed by one stream is brought to the last version of its stream. If it had that version before, a process
    /// that holds the wrong fields in its memory writes them again with the next event of the stream: compare again
    /// then, or restart it first.
    ///
    /// # Errors
    /// As [`verify`](Self::verify); [`BackfillError::Contended`] when others change the row again and again.
    ///
    /// # Cost
    /// What [`look`](Self::look) costs, and one write.
    pub async fn repair(&self, key: &str) -> Result<Repaired, BackfillError> {
        let context = self.context(Verify::All).await?;
        let passed_over = passed_over(&context).await?;
        let mut repaired = self.target.0.repair(&context, key, &passed_over).await?;
        repaired.generation = context.generation.number;
        Ok(repaired)
    }

    async fn context(&self, verify: Verify) -> Result<Context, BackfillError> {
        let (name, code) = (self.target.name(), self.target.version());
        let switch = Switch::new(Arc::clone(&self.leases), Arc::clone(&self.rows), &self.group);
        let all = switch.generations(name).await?;
        let made = all.version(all.live).unwrap_or_default();
        if made != code {
            return Err(BackfillError::OtherVersion { projection: name.to_owned(), live: made, code });
        }
        let live = all.live();
        tried(|| self.rows.prepare(&live, self.target.0.indexes())).await?;
        let history = LedgerHistory::new(Arc::clone(&self.ledger), Arc::clone(&self.leases), &self.group);
        let pace = Pace::new(Budget::Unlimited);
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Context {
            ledger: Arc::clone(&self.ledger),
            leases: Arc::clone(&self.leases),
            group: Arc::clone(&self.group),
            survey: history
                .survey()
                .await
                .map(|survey| Survey { positions: Default::default(), ..survey })?,
            history: Arc::new(history),
            rows: Arc::clone(&self.rows),
            generation: live,
            indexes: self.target.0.indexes(),
            made: OnceCell::new_with(Some(())),
            memory_bytes: self.memory_bytes,
            verify,
            dry_run: true,
            reading: Reading { workers, progress: Arc::clone(&self.progress), pace: pace.clone() },
            pace,
            progress: Arc::clone(&self.progress),
            differences: Differences::default(),
            cut: Mutex::default(),
            ready: Mutex::default(),
        })
    }
}

/// The streams of which events were passed over by order, as far as the orders name them.
async fn passed_over(context: &Context) -> Result<PassedOver, BackfillError> {
    let mut found = PassedOver::default();
    let mut list = List { after: None, limit: MAX_PAGE_ROWS };
    loop {
        let audits = || context.rows.audits(&context.generation, &list);
        let page = context.writing().await?.patiently(0, audits).await?;
        for entry in page.entries.into_iter().filter(|entry| entry.action == AuditAction::Discard) {
            match entry.target {
                AuditTarget::Stream { stream, .. } => drop(found.streams.insert(stream)),
                AuditTarget::Group { streams, fingerprint } => context.progress.note(format!(
                    "{streams} streams that failed with {fingerprint} were passed over by order: rows of theirs differ \
                     rightly"
                )),
            }
        }
        list.after = page.next;
        if list.after.is_none() {
            return Ok(found);
        }
    }
}

/// Every live row of a generation, key and revision.
pub(super) async fn revisions(
    context: &Context,
    mut each: impl FnMut(crate::rows::StoredRow) + Send,
) -> Result<(), BackfillError> {
    let generation: &Generation = &context.generation;
    let mut list = List { after: None, limit: MAX_PAGE_ROWS };
    loop {
        let page = context.writing().await?.patiently(0, || context.rows.list(generation, &list)).await?;
        page.rows.into_iter().for_each(&mut each);
        list.after = page.next;
        if list.after.is_none() {
            return Ok(());
        }
    }
}

/// The last version that the ledger has of a stream beyond another.
pub(super) async fn has_more(
    context: &Context,
    stream: &StreamName,
    after: Version,
) -> Result<bool, BackfillError> {
    let page = context.ledger.read(stream, headwater::store::Read::after(after).limit(1)).await?;
    Ok(!page.commits.is_empty())
}
