//! One rebuild, and the time of each of its phases.

use std::sync::Arc;

use headwater::{EventStore, Recorded};
use headwater_archive::ArchiveHistory;
use headwater_projections::backfill::{
    Backfill, Budget, History, LedgerHistory, Options, Pace, Progress, Target, Verify,
};
use headwater_projections::{GROUP, LeaseStore, Project};
use headwater_workload::peak_mib;
use serde::{Deserialize, Serialize};

use super::Error;
use super::place::Place;
use crate::timed::timed;
use crate::{Account, AccountEvent};

/// A read model with balance and count.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "balances", version = 1, from(Account))]
pub(super) struct Balance {
    balance: i64,
    count: u64,
}

impl Project<Account> for Balance {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        self.count += 1;
        match event.event {
            AccountEvent::Opened { .. } => {}
            AccountEvent::Deposited { amount, .. } => self.balance += amount,
            AccountEvent::Withdrawn { amount, .. } => self.balance -= amount,
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) source: String,
    /// Nothing is no limit.
    pub(super) memory_bytes: Option<usize>,
    pub(super) workers: usize,
    /// Whether nothing is written.
    pub(super) dry: bool,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) events: u64,
    pub(super) rows: u64,
    /// Looking at what there is, and reading and folding.
    pub(super) folded_seconds: f64,
    /// Until the rows are written.
    pub(super) written_seconds: f64,
    pub(super) processor_seconds: f64,
    pub(super) peak_mib: f64,
}

/// Rebuilds.
pub(super) async fn measure(place: &Place, case: &Case) -> Result<Outcome, Error> {
    let ledger: Arc<dyn EventStore> = Arc::new(place.ledger());
    let leases: Arc<dyn LeaseStore> = Arc::new(place.leases());
    let history: Arc<dyn History> = match case.source.as_str() {
        "archive" => Arc::new(ArchiveHistory::new(place.archive()?, Arc::clone(&leases))),
        _ => Arc::new(LedgerHistory::new(Arc::clone(&ledger), Arc::clone(&leases), GROUP)),
    };
    let mut options = Options::default();
    options.memory_bytes = case.memory_bytes.unwrap_or(usize::MAX >> 1);
    (options.workers, options.promote, options.dry_run) = (case.workers, false, case.dry);
    options.verify = Verify::Nothing;
    let timed = timed(Backfill {
        target: Target::of::<Balance>()?,
        ledger,
        rows: Arc::new(place.rows()),
        leases,
        group: GROUP.into(),
        history,
        options,
        progress: Arc::new(Progress::default()),
        pace: Pace::new(Budget::Unlimited),
    })
    .await?;
    Ok(Outcome {
        events: timed.done.events,
        rows: timed.done.rows,
        folded_seconds: timed.folded.as_secs_f64(),
        written_seconds: timed.written.as_secs_f64(),
        processor_seconds: timed.processor_seconds,
        peak_mib: peak_mib(),
    })
}
