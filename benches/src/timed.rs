//! A rebuild whose phases are timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_projections::backfill::{Backfill, BackfillError, Built, Phase, Snapshot};
use headwater_workload::processor_seconds_of;
use tokio::sync::watch;

/// What a rebuild came to, and when.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) built: Built,
    pub(crate) done: Snapshot,
    /// Until everything was read and folded.
    pub(crate) folded: Duration,
    /// Until the last row was written.
    pub(crate) written: Duration,
    /// Processor time of this process until then.
    pub(crate) processor_seconds: f64,
}

/// Rebuilds. The times end with the last row: waiting for a feed that nobody reads is not measured.
pub(crate) async fn timed(backfill: Backfill) -> Result<Timed, BackfillError> {
    let progress = Arc::clone(&backfill.progress);
    let (_keep, stop) = watch::channel(false);
    let begun = Instant::now();
    let now = || (begun.elapsed(), processor_seconds_of("self"));
    let mut running = Box::pin(backfill.run(stop));
    let (mut folded, mut written) = (None, None);
    let built = loop {
        tokio::select! {
            built = &mut running => break built?,
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        match progress.phase() {
            Phase::Surveying | Phase::Folding => {}
            Phase::Filling | Phase::Writing => drop(folded.get_or_insert(begun.elapsed())),
            _ => drop(written.get_or_insert_with(now)),
        }
    };
    let (written, processor_seconds) = written.unwrap_or_else(now);
    let folded = folded.unwrap_or(written);
    Ok(Timed { built, done: progress.snapshot(), folded, written, processor_seconds })
}
