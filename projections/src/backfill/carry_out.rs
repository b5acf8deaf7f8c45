//! Carrying an operation out: what has to be there first, the backfill itself, and beside them what everybody sees of it,
//! once a second.

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::limits::{REPORT_EVERY, REPORT_TRIES};
use super::operation::{Operation, OperationState};
use super::operations::Operations;
use super::work::stopped;
use super::{Backfill, BackfillError, Built, Phase};
use crate::group::Saved;
use crate::group::limits::RENEW_AGAIN;
use crate::parked::chain;

/// The written side of an operation under way.
struct Record<'a> {
    operations: &'a Operations,
    operation: Operation,
    begun: Instant,
    /// Whether somebody else has ended it, who took this process for gone.
    lost: bool,
}

impl Operations {
    /// Prepares what an operation needs that this process has taken, and shows meanwhile that the process is alive. Nothing
    /// when it was cancelled, when `stop` was set, or when somebody has taken this process for gone: the preparation is
    /// dropped then. The operation that comes back is to be carried out at once. How it ended otherwise is written down.
    ///
    /// # Errors
    /// What the preparation fails with.
    ///
    /// # Cancel safety
    /// As [`carry_out`](Self::carry_out).
    pub async fn prepared<T, E: std::error::Error>(
        &self,
        operation: Operation,
        preparing: impl Future<Output = Result<T, E>>,
        stop: watch::Receiver<bool>,
    ) -> Result<Option<(Operation, T)>, E> {
        let mut record = Record::new(self, operation);
        let mut preparing = std::pin::pin!(preparing);
        let mut stop = std::pin::pin!(stopped(stop));
        let mut next = record.begun + REPORT_EVERY;
        while !record.is_to_stop() {
            tokio::select! {
                prepared = &mut preparing => match prepared {
                    Ok(prepared) => return Ok(Some((record.operation, prepared))),
                    Err(error) => {
                        record.finish(OperationState::Failed, Some(chain(&error))).await;
                        return Err(error);
                    }
                },
                () = &mut stop => break,
                () = sleep_until(next) => {
                    let _written = record.write().await;
                    next = Instant::now() + REPORT_EVERY;
                }
            }
        }
        record.end(&Err(BackfillError::Stopped)).await;
        Ok(None)
    }

    /// Carries an operation out that this process has begun or taken. It ends in good order when it is cancelled, when
    /// `stop` is set, and when somebody has taken this process for gone: slots are released then, and what was done stays
    /// done.
    ///
    /// # Errors
    /// As [`Backfill::run`]; [`BackfillError::Stopped`] in all three cases. How it ended is written down as well.
    ///
    /// # Cancel safety
    /// When the future is dropped, or the process dies, others see that it shows no life any more.
    ///
    /// # Cost
    /// One write of about 1 KB a second.
    pub async fn carry_out(
        &self,
        operation: Operation,
        backfill: &Backfill,
        stop: watch::Receiver<bool>,
    ) -> Result<Built, BackfillError> {
        let mut record = Record::new(self, operation);
        let (stopping, told) = watch::channel(*stop.borrow());
        let mut building = std::pin::pin!(backfill.run(told));
        let mut stop = std::pin::pin!(stopped(stop));
        let (mut next, mut asked) = (record.begun, false);
        let built = loop {
            tokio::select! {
                built = &mut building => break built,
                () = &mut stop, if !asked => {
                    asked = true;
                    stopping.send_replace(true);
                }
                () = sleep_until(next) => {
                    record.look(backfill);
                    let _written = record.write().await;
                    if record.is_to_stop() {
                        stopping.send_replace(true);
                    }
                    next = Instant::now() + REPORT_EVERY;
                }
            }
        };
        record.look(backfill);
        record.end(&built).await;
        built
    }
}

impl<'a> Record<'a> {
    fn new(operations: &'a Operations, operation: Operation) -> Self {
        Self { operations, operation, begun: Instant::now(), lost: false }
    }

    /// Whether others want it to stop.
    fn is_to_stop(&self) -> bool {
        self.lost || self.operation.cancelled_by.is_some()
    }

    /// Takes in how far the backfill is.
    fn look(&mut self, backfill: &Backfill) {
        let progress = &backfill.progress;
        let (phase, now, worked) = (progress.phase(), progress.snapshot(), self.begun.elapsed());
        let report = &mut self.operation.report;
        (report.phase, report.seconds) = (phase, worked.as_secs_f64());
        (report.events_per_second, report.seconds_left) = (now.rate(worked), progress.seconds_left());
        (report.progress, report.notes) = (now, progress.last_notes());
        self.operation.state = match phase {
            Phase::CatchingUp => OperationState::WaitingForSwitch,
            _ => OperationState::Running,
        };
    }

    /// Writes it, and says whether it is written. What others wrote meanwhile is taken in, and written over with the next
    /// try.
    async fn write(&mut self) -> bool {
        if self.lost {
            return false;
        }
        let next = self.operation.next();
        match self.operations.save(&next, Some(self.operation.counter)).await {
            Ok(Saved::Done) => {
                self.operation = next;
                return true;
            }
            Ok(Saved::Lost(there)) => match Operations::found(there) {
                Some(there) if there.worker == self.operation.worker && !there.state.is_ended() => {
                    self.operation.counter = there.counter;
                    self.operation.cancelled_by = there.cancelled_by;
                }
                _ => self.lost = true,
            },
            Err(error) => tracing::debug!(error = %error, "an operation cannot be written down for now"),
        }
        false
    }

    /// Writes down how it ended.
    async fn end(&mut self, built: &Result<Built, BackfillError>) {
        match built {
            Ok(built) => {
                let report = &mut self.operation.report;
                (report.live, report.compared, report.parked) = (built.live, built.compared, built.parked);
                self.finish(OperationState::Done, None).await;
            }
            Err(BackfillError::Stopped) if self.operation.cancelled_by.is_some() => {
                self.finish(OperationState::Cancelled, None).await;
            }
            Err(BackfillError::Stopped) => {
                self.finish(OperationState::Interrupted, Some("its process ended".to_owned())).await;
            }
            Err(error) => self.finish(OperationState::Failed, Some(chain(error))).await,
        }
    }

    async fn finish(&mut self, state: OperationState, problem: Option<String>) {
        (self.operation.state, self.operation.report.problem) = (state, problem);
        for _ in 0..REPORT_TRIES {
            if self.write().await || self.lost {
                return;
            }
            sleep(RENEW_AGAIN).await;
        }
        tracing::warn!(operation = %self.operation.id, ?state, "how an operation ended could not be written down");
    }
}
