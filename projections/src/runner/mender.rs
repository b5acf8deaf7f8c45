//! The mender: tries parked streams again by itself.
//!
//! It tries a stream that has failed n times in one of 2^n sweeps, which one by the stream's name: streams that
//! failed together are not tried together. The worker that has the first partition does it for the whole group; two that
//! do it at once only waste time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use headwater::StreamName;

use super::lane::Handler;
use super::limits::{MEND_EVERY, MEND_SELDOM, MEND_STREAMS};
use super::status::Control;
use crate::Parked;
use crate::rows::RowError;

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

#[cfg(test)]
mod tests {
    use headwater::Version;

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
