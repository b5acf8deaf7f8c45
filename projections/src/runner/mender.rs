//! The mender: tries parked streams again, by itself and by order.
//!
//! Of itself it tries a stream that has failed n times in one of 2^n sweeps, which one by the stream's name: streams that
//! failed together are not tried together. The worker that has the first partition does it for the whole group; two that
//! do it at once only waste time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater::{StreamName, Timestamp, Version};

use super::lane::{Handler, Mended};
use super::limits::{MEND_EVERY, MEND_SELDOM, MEND_STREAMS};
use super::status::Control;
use crate::rows::{RowError, Wanted};
use crate::{AuditAction, AuditEntry, AuditTarget, Parked, ReadError};

/// Who orders something about a parked stream, and why. It is kept beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The projection is unknown, or its rows cannot be read or written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger cannot be read, or the rows cannot be written. What was ordered may be done in part: order it again.
    #[error("{projection} cannot try stream {stream} again for now")]
    Store {
        /// The projection.
        projection: &'static str,
        /// The stream.
        stream: StreamName,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What the mender of a group works with.
#[derive(Debug)]
pub(super) struct Mender {
    pub(super) control: Control,
    /// Whether it is this worker's turn.
    pub(super) mine: Arc<AtomicBool>,
}

/// Where the sweep over the parked streams of a projection is.
#[derive(Debug, Default)]
struct Sweep {
    number: u64,
    after: Option<StreamName>,
}

impl Mender {
    /// Mends until it is dropped.
    pub(super) async fn run(self) {
        let mut sweeps: HashMap<Arc<str>, Sweep> = HashMap::new();
        loop {
            tokio::time::sleep(MEND_EVERY).await;
            let kept = self.control.all_kept();
            sweeps.retain(|generation, _| kept.iter().any(|kept| kept.generation == *generation));
            for kept in kept.iter() {
                let handler = &kept.handler;
                if self.mine.load(Ordering::Relaxed) && !self.control.is_paused(handler.name()) {
                    let sweep = sweeps.entry(Arc::clone(&kept.generation)).or_default();
                    if let Err(error) = look(handler.as_ref(), sweep).await {
                        tracing::warn!(projection = handler.name(), error = %error, "parked streams cannot be listed");
                    }
                }
            }
        }
    }
}

/// Looks at the next parked streams and tries those whose turn it is.
async fn look(handler: &dyn Handler, sweep: &mut Sweep) -> Result<(), RowError> {
    let (rows, _) = handler.rows();
    let parked = rows.parked(handler.generation(), sweep.after.as_ref(), MEND_STREAMS).await?;
    for record in parked.iter().filter(|record| is_due(record, sweep.number)) {
        let projection = handler.name();
        match handler.own_lane().mend(&record.stream, None).await {
            Ok(mended) => {
                tracing::info!(projection, stream = %record.stream, ?mended, "a parked stream was tried again")
            }
            Err(error) => {
                tracing::warn!(projection, stream = %record.stream, error = %error, "a parked stream cannot be tried");
            }
        }
    }
    sweep.after = parked.last().filter(|_| parked.len() == MEND_STREAMS).map(|record| record.stream.clone());
    sweep.number += u64::from(sweep.after.is_none());
    Ok(())
}

fn is_due(record: &Parked, sweep: u64) -> bool {
    let name = record.stream.as_str().bytes();
    let place = name.fold(7_u64, |place, byte| place.wrapping_mul(31).wrapping_add(byte.into()));
    sweep.wrapping_add(place).is_multiple_of(1 << record.attempts.min(MEND_SELDOM))
}

impl Control {
    /// Tries a parked stream again at once, from its failing version on, out of the ledger: corrected code and new
    /// upcasters apply. It may be ordered in any process, whoever reads the stream's partition.
    ///
    /// # Errors
    /// [`OrderError`] when the projection is unknown or a store cannot be reached.
    pub async fn retry(
        &self,
        projection: &str,
        stream: &StreamName,
        order: &Order,
    ) -> Result<Mended, OrderError> {
        self.order(projection, stream, AuditAction::Retry, None, order).await
    }

    /// Passes over the events of a parked stream up to and with a version, and goes on behind it. The projection will
    /// never have them, short of being rebuilt.
    ///
    /// # Errors
    /// As [`retry`](Self::retry).
    pub async fn discard(
        &self,
        projection: &str,
        stream: &StreamName,
        until: Version,
        order: &Order,
    ) -> Result<Mended, OrderError> {
        self.order(projection, stream, AuditAction::Discard, Some(until), order).await
    }

    async fn order(
        &self,
        projection: &str,
        stream: &StreamName,
        action: AuditAction,
        discard: Option<Version>,
        order: &Order,
    ) -> Result<Mended, OrderError> {
        let handler = self.handler(projection).await?;
        let (rows, _) = handler.rows();
        let wanted = Wanted { streams: [stream.clone()].into(), ..Wanted::default() };
        let loaded = rows.load(handler.generation(), &wanted).await.map_err(ReadError::from)?;
        let Some(record) = loaded.parked.into_iter().next() else { return Ok(Mended::NotParked) };
        let target = AuditTarget::Stream {
            stream: stream.clone(),
            from: record.first_failing,
            until: discard.unwrap_or(record.highest),
        };
        let (who, reason) = (order.who.clone(), order.reason.clone());
        // What is ordered is kept first: nothing is passed over without a trace.
        let entry = AuditEntry { at: Timestamp::now(), who, action, target, reason };
        rows.audit(handler.generation(), &entry).await.map_err(ReadError::from)?;
        handler.own_lane().mend(stream, discard).await.map_err(|error| OrderError::Store {
            projection: handler.name(),
            stream: stream.clone(),
            source: Box::new(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, CauseKind};

    #[test]
    fn the_more_often_a_stream_failed_the_more_seldom_it_is_tried_but_never_never() {
        for id in ["1", "2", "abc"] {
            let due = |attempts| {
                let record = Parked {
                    stream: StreamName::new("account", id).unwrap(),
                    first_failing: Version(1),
                    highest: Version(1),
                    cause: Cause { kind: CauseKind::Panic, message: "odd".to_owned() },
                    attempts,
                };
                (0..1_024).filter(|sweep| is_due(&record, *sweep)).count()
            };
            assert_eq!([1, 2, 3, 8, 9, u32::MAX].map(due), [512, 256, 128, 4, 4, 4]);
        }
    }
}
