//! A process that keeps read models also carries out rebuilds that were asked for over HTTP, here or at a process that only
//! answers: one at a time, and yielding to live traffic.

use std::time::Duration;

use headwater_projections::Control;
use headwater_projections::backfill::{BackfillError, Operation, Operations, Pace};
use headwater_projections::group::WorkerId;
use tokio::sync::watch;
use tokio::time::sleep;

use super::prepare::{Ground, RebuildError, target};
use crate::Stopping;
use crate::app::Kept;

/// How often it is looked whether another process was asked for something.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked whether live traffic lags.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// How far live read models may be behind before a rebuild slows down.
const LAGGING: Duration = Duration::from_secs(2);
/// Of the threads of this machine, a rebuild takes one in so many.
const SHARE_OF_THREADS: usize = 2;

/// What carries rebuilds out: one at a time, others wait in the queue.
#[derive(Debug)]
pub(crate) struct Rebuilds {
    pub(crate) kept: Vec<Kept>,
    pub(crate) ground: Ground,
    pub(crate) operations: Operations,
    /// The read models that are kept here.
    pub(crate) control: Control,
    /// Most memory of a rebuild.
    pub(crate) memory_bytes: usize,
}

impl Rebuilds {
    /// Takes operations up and carries them out until the process stops. The one under way ends in good order then.
    pub(crate) async fn run(self, stopping: Stopping) {
        let (stop, told) = watch::channel(false);
        let stopped = async {
            stopping.stopped().await;
            stop.send_replace(true);
        };
        tokio::join!(stopped, self.work(&stopping, told));
    }

    async fn work(&self, stopping: &Stopping, told: watch::Receiver<bool>) {
        let me = WorkerId::random();
        loop {
            if !stopping.is_draining() {
                match self.operations.take(&me, |operation| self.can(operation)).await {
                    Ok(Some(operation)) => {
                        self.carry_out(operation, told.clone()).await;
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!(error = %error, "operations cannot be looked at for now"),
                }
            }
            tokio::select! {
                () = self.operations.wait(LOOK_EVERY) => {}
                () = stopping.stopped() => return,
            }
        }
    }

    /// Whether this process has the code that an operation asks for: in a rolling deployment some have not.
    fn can(&self, operation: &Operation) -> bool {
        let mut kept = self.kept.iter().filter(|kept| kept.target.is_some());
        kept.any(|kept| *kept.name == *operation.projection && kept.version == operation.version)
    }

    async fn carry_out(&self, operation: Operation, told: watch::Receiver<bool>) {
        let (id, taken) = (operation.id.clone(), operation.clone());
        let prepared = self.operations.prepared(operation, self.prepare(&taken), told.clone()).await;
        let (operation, backfill) = match prepared {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return tracing::info!(operation = %id, "a rebuild was stopped before it began"),
            Err(error) => {
                return tracing::error!(operation = %id, error = ?error, "a rebuild could not begin");
            }
        };
        tracing::info!(operation = %id, source = backfill.history.kind(), "a rebuild begins");
        let built = tokio::select! {
            built = self.operations.carry_out(operation, &backfill, told) => built,
            () = self.yield_to_live(&backfill.pace) => return,
        };
        match built {
            Ok(built) => tracing::info!(
                operation = %id, generation = built.generation, live = built.live, "a rebuild is done"
            ),
            Err(BackfillError::Stopped) => tracing::info!(operation = %id, "a rebuild was stopped"),
            Err(error) => tracing::error!(operation = %id, error = ?error, "a rebuild failed"),
        }
    }

    async fn prepare(
        &self,
        operation: &Operation,
    ) -> Result<headwater_projections::backfill::Backfill, RebuildError> {
        let target = target(&self.kept, &operation.projection)?;
        let mut options = operation.wish.options();
        // Another process, with other limits, may have been asked.
        options.memory_bytes = options.memory_bytes.min(self.memory_bytes);
        options.workers = (options.workers / SHARE_OF_THREADS).max(1);
        self.ground.backfill(target, operation.wish.source, options).await
    }

    /// Slows a rebuild down while the read models that are kept here lag.
    async fn yield_to_live(&self, pace: &Pace) {
        loop {
            let status = self.control.status();
            let behind = status.partitions.values().filter_map(|partition| partition.behind).max();
            pace.yield_to_live(behind > Some(LAGGING));
            sleep(WATCH_EVERY).await;
        }
    }
}
