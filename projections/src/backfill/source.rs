//! Where history comes from: the seam between a backfill and what keeps the events, such as an archive or the ledger.
//!
//! A source hands out borrowed events, so that reading a million of them needs no allocation for each. It owes no order
//! that truth depends on: whoever reads looks at the versions, drops repeats, and turns to the ledger for what is
//! missing (L2).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::PartitionId;
use headwater::{CommitId, Timestamp, Version};

use crate::group::Checkpoint;

/// One stored event, as it lies in its source.
#[derive(Debug, Clone, Copy)]
pub struct HistoryEvent<'a> {
    /// The category of its stream.
    pub category: &'a str,
    /// The id of its stream within the category.
    pub id: &'a str,
    /// Its version in the stream.
    pub version: Version,
    /// The wire name of its type.
    pub name: &'a str,
    /// The schema version of its payload.
    pub schema: u32,
    /// Its payload as it was stored.
    pub payload: &'a [u8],
    /// When its commit was decided.
    pub recorded_at: Timestamp,
    /// The metadata of its commit as JSON; empty when nothing is known.
    pub metadata: &'a [u8],
    /// Its commit.
    pub commit: CommitId,
    /// Its place in the commit, from 0.
    pub index: u32,
}

/// What the events of a part are handed to, in the order of the part. [`ControlFlow::Break`] ends the reading, which is
/// no error.
pub type Visit<'a> = &'a mut (dyn FnMut(HistoryEvent<'_>) -> ControlFlow<()> + Send);

/// What a source has, looked at once before anything is read.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// What there is to read. A backfill reads some lanes at a time.
    pub lanes: Vec<Lane>,
    /// How far the feed is in this history: of each partition, everything up to and with this is in it, so the feed is
    /// read on from there. A partition that is not named is read from its oldest record.
    pub positions: BTreeMap<PartitionId, Checkpoint>,
    /// What ought to be there and is not, such as a file missing in a chain. The ledger has to fill it in.
    pub damage: Vec<Damage>,
}

/// Parts to be read one after the other, such as the files of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// Lanes that are better read first, by their place in [`Survey::lanes`], each smaller than that of this lane: those
    /// of the partitions this one came from. A matter of speed only.
    pub after: Vec<usize>,
}

/// A piece of history that is read in one go, such as a file or a segment of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, unique in its source; for people, it also says where it is.
    pub name: Arc<str>,
    /// How many events it has, if that is known.
    pub events: Option<u64>,
    /// How many bytes are read for it, if that is known.
    pub bytes: Option<u64>,
}

/// A place within a part, to read on from. Opaque to all but the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(pub Arc<str>);

/// Something that is missing or broken in a source: named, never passed over in silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The part, by name.
    pub part: Arc<str>,
    /// The partition it belongs to, if it does.
    pub partition: Option<PartitionId>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        if let Some(partition) = &self.partition {
            write!(f, " of partition {partition}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why history could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A part is missing, cut short or corrupt. Trying again does not help, and what was handed out of it before is
    /// right.
    #[error("history is damaged: {0}")]
    Damaged(Damage),
    /// The source cannot be reached for now.
    #[error("history is unavailable while trying to {attempted}")]
    Unavailable {
        /// What was tried.
        attempted: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl HistoryError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// A source of history.
///
/// # Delivery
/// Every event that was in the source when [`survey`](Self::survey) was called, at least once; repeats are allowed, also
/// of events that were handed out before a failure. Within a lane the events of a stream come in version order as far as
/// the source knows it.
#[async_trait]
pub trait History: Send + Sync + fmt::Debug {
    /// A word for it: `archive`, `ledger`.
    fn kind(&self) -> &'static str;

    /// What there is to read.
    ///
    /// # Errors
    /// [`HistoryError::Unavailable`]. What is damaged stands in the survey, so that one look finds all of it.
    async fn survey(&self) -> Result<Survey, HistoryError>;

    /// Reads a part, from its beginning or from a place in it on, and hands each event to `visit`, which does not wait for
    /// anything. A source whose parts are large stops now and then and names the place: whoever reads has a budget to
    /// keep, rests, and goes on there. At the end of the part there is none.
    ///
    /// # Errors
    /// [`HistoryError::Damaged`] when the part is not whole; never a shorter answer instead.
    ///
    /// # Cancel safety
    /// Nothing is changed by reading; when the future is dropped, some events were handed out.
    async fn read(
        &self,
        part: &Part,
        from: Option<&Mark>,
        visit: Visit<'_>,
    ) -> Result<Option<Mark>, HistoryError>;
}
