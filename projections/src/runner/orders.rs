//! Orders about parked streams: try them again, or pass over what they fail at; one stream, or all that fail for one reason.

use std::sync::Arc;

use futures::StreamExt;
use headwater::{StreamName, Timestamp, Version};

use super::lane::{Handler, Mended};
use super::limits::ORDERS_AT_ONCE;
use super::parked::each_parked;
use super::status::Control;
use crate::rows::Wanted;
use crate::{AuditAction, AuditEntry, AuditTarget, CauseFingerprint, Parked, ReadError};

/// Who orders something about parked streams, and why. It is kept beside the rows.
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
    /// More streams are parked for this reason than whoever orders has agreed to.
    #[error(
        "{counted} streams of {projection} are parked with fingerprint {fingerprint}, not {confirmed}: look at them, then \
         confirm their number"
    )]
    Unconfirmed {
        /// The projection.
        projection: &'static str,
        /// The fingerprint of the error.
        fingerprint: CauseFingerprint,
        /// How many there are.
        counted: u64,
        /// How many were agreed to.
        confirmed: u64,
    },
}

/// What became of an order about all streams that are parked for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GroupMended {
    /// How many streams it was about.
    pub streams: u64,
    /// Those that are not parked any more.
    pub applied: u64,
    /// Those that failed again, at the same version or further on.
    pub parked: u64,
    /// Whether every parked stream was looked at; if not, order it again.
    pub complete: bool,
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

    /// Tries every stream again that is parked with an error of a fingerprint, if they are no more than `confirmed`.
    ///
    /// # Errors
    /// [`OrderError::Unconfirmed`] before anything is done; else as [`retry`](Self::retry).
    ///
    /// # Cost
    /// Every record of a parked stream is read, at most [`MAX_GROUPED_STREAMS`](crate::MAX_GROUPED_STREAMS) of them; then each stream is read from its
    /// failing version on, [`ORDERS_AT_ONCE`] at a time.
    ///
    /// # Cancel safety
    /// When the future is dropped, some streams are tried and others are not.
    pub async fn retry_group(
        &self,
        projection: &str,
        fingerprint: CauseFingerprint,
        confirmed: u64,
        order: &Order,
    ) -> Result<GroupMended, OrderError> {
        self.order_group(projection, fingerprint, AuditAction::Retry, confirmed, order).await
    }

    /// Passes over the failing event of every stream that is parked with an error of a fingerprint, if they are no more
    /// than `confirmed`, and goes on behind it. One that fails again further on is parked there.
    ///
    /// # Errors
    /// As [`retry_group`](Self::retry_group).
    pub async fn discard_group(
        &self,
        projection: &str,
        fingerprint: CauseFingerprint,
        confirmed: u64,
        order: &Order,
    ) -> Result<GroupMended, OrderError> {
        self.order_group(projection, fingerprint, AuditAction::Discard, confirmed, order).await
    }

    async fn order_group(
        &self,
        projection: &str,
        fingerprint: CauseFingerprint,
        action: AuditAction,
        confirmed: u64,
        order: &Order,
    ) -> Result<GroupMended, OrderError> {
        let handler = self.handler(projection).await?;
        let (found, complete) = parked_with(handler.as_ref(), fingerprint).await?;
        let streams = found.len() as u64;
        if streams > confirmed {
            let projection = handler.name();
            return Err(OrderError::Unconfirmed { projection, fingerprint, counted: streams, confirmed });
        }
        let mut done = GroupMended { streams, complete, ..GroupMended::default() };
        if found.is_empty() {
            return Ok(done);
        }
        note(handler.as_ref(), action, AuditTarget::Group { fingerprint, streams }, order).await?;
        let mending = found.into_iter().map(|(stream, failing)| {
            let handler = Arc::clone(&handler);
            let discard = (action == AuditAction::Discard).then_some(failing);
            async move { mend(handler.as_ref(), &stream, discard).await }
        });
        let mut mending = futures::stream::iter(mending).buffer_unordered(ORDERS_AT_ONCE);
        while let Some(mended) = mending.next().await {
            match mended? {
                Mended::Parked => done.parked += 1,
                Mended::Applied | Mended::NotParked => done.applied += 1,
            }
        }
        Ok(done)
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
        note(handler.as_ref(), action, target, order).await?;
        mend(handler.as_ref(), stream, discard).await
    }
}

/// Keeps what is ordered, before it is done: nothing is passed over without a trace.
async fn note(
    handler: &dyn Handler,
    action: AuditAction,
    target: AuditTarget,
    order: &Order,
) -> Result<(), OrderError> {
    let (who, reason) = (order.who.clone(), order.reason.clone());
    let entry = AuditEntry { at: Timestamp::now(), who, action, target, reason };
    let (rows, _) = handler.rows();
    Ok(rows.audit(handler.generation(), &entry).await.map_err(ReadError::from)?)
}

async fn mend(
    handler: &dyn Handler,
    stream: &StreamName,
    discard: Option<Version>,
) -> Result<Mended, OrderError> {
    handler.own_lane().mend(stream, discard).await.map_err(|error| OrderError::Store {
        projection: handler.name(),
        stream: stream.clone(),
        source: Box::new(error),
    })
}

/// The streams that are parked with an error of a fingerprint, where each fails, and whether all records were looked at.
async fn parked_with(
    handler: &dyn Handler,
    fingerprint: CauseFingerprint,
) -> Result<(Vec<(StreamName, Version)>, bool), ReadError> {
    let (rows, _) = handler.rows();
    let mut found = Vec::new();
    let ours = |record: Parked| {
        if record.fingerprint(handler.name()) == fingerprint {
            found.push((record.stream, record.first_failing));
        }
    };
    let complete = each_parked(rows.as_ref(), handler.generation(), ours).await?;
    Ok((found, complete))
}
