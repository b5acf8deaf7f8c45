//! One stream folded again, from the ledger and by the step: how a single row is put right, and what rows are compared
//! with. It shares nothing with the fold of a backfill but the code of the projection.

use bytes::Bytes;
use headwater::store::{Read, StoreError};
use headwater::{EventStore, StreamName, Version};

use super::BackfillError;
use crate::fold::row_json;
use crate::rows::LoadedRows;
use crate::runner::limits::FILL_COMMITS;
use crate::{Batch, Definition, Memory, Parked, Projection, Step, step};

/// A stream as the step has it after the last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refolded {
    /// The version applied.
    pub(super) version: Version,
    /// The fields of its row as JSON, if the row exists.
    pub(super) fields: Option<Bytes>,
    /// The record of the stream, if it is parked.
    pub(super) parked: Option<Parked>,
}

/// Folds a stream up to a version, of a projection whose rows are fed by one stream each. A commit is applied whole, so
/// it may end further on.
pub(super) async fn refold<P: Projection>(
    definition: &Definition<P>,
    ledger: &dyn EventStore,
    stream: &StreamName,
    until: Version,
) -> Result<Refolded, BackfillError> {
    let mut memory = Memory::<P>::new();
    let (mut read, mut after) = (Read::all().until(until).limit(FILL_COMMITS), Version::EMPTY);
    loop {
        let page = ledger.read(stream, read.clone()).await?;
        for commit in &page.commits {
            if commit.first != after.next() {
                return Err(BackfillError::Hole { stream: stream.clone(), version: after.next() });
            }
            after = commit.last();
            // One by one, so that an event whose row does not fit is found.
            let batch = Batch::from(vec![std::sync::Arc::clone(commit)]);
            while let Step::Needs(wanted, gaps) = step(definition, &mut memory, &batch) {
                if let Some(gap) = gaps.first() {
                    let (stream, version) = (gap.stream.clone(), gap.after.next());
                    return Err(BackfillError::Hole { stream, version });
                }
                memory.learn(&wanted, LoadedRows::default());
            }
        }
        match read.following(&page) {
            Some(next) => read = next,
            None => break,
        }
    }
    let key = stream.id();
    let fields = memory.row(key).map(|fields| row_json(key, fields)).transpose();
    let unfit = |cause: crate::Cause| StoreError::Corrupt {
        stream: stream.clone(),
        version: after,
        reason: cause.to_string(),
    };
    Ok(Refolded {
        version: memory.version(stream).unwrap_or_default(),
        fields: fields.map_err(unfit)?,
        parked: memory.parked().next().cloned(),
    })
}
