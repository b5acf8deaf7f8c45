//! Filling a slot of rows that are fed by one stream each.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use headwater::store::Read;
use headwater::{StreamName, Version};

use super::BackfillError;
use super::Slot;
use super::lanes::{Fold, Scratch};
use super::ledger::visit_commit;
use super::limits::STREAMS_IN_FLIGHT;
use super::own::{Own, OwnFold, Trouble};
use super::progress::Phase;
use super::refold::{Refolded, refold};
use super::target::{Context, Filled, Typed};
use super::write::row;
use crate::fold::{guarded, row_json};
use crate::{Expect, Parked, Projection, Revision, RowWrite};

impl<P: Projection> Typed<P> {
    pub(super) async fn fill_own(&self, context: &Context, slot: Slot) -> Result<Filled, BackfillError> {
        let fold = OwnFold::new(&self.definition, slot, context.rows_bytes());
        let fold = Arc::new(fold.expect("a projection that was checked has a source"));
        context.pass(&(Arc::clone(&fold) as Arc<dyn Fold>)).await?;
        if fold.is_full() {
            return Ok(Filled::TooLarge);
        }
        context.progress.enter(Phase::Filling);
        for shard in 0..fold.shards() {
            let gaps = fold.streams(shard, Own::has_gap);
            let filling =
                gaps.into_iter().map(|(stream, version, _)| fill_gap(context, &fold, stream, version));
            futures::stream::iter(filling)
                .buffer_unordered(STREAMS_IN_FLIGHT)
                .try_collect::<Vec<()>>()
                .await?;
            if let Some((stream, version, _)) = fold.streams(shard, Own::has_gap).into_iter().next() {
                return Err(BackfillError::Hole { stream, version: Version(version + 1) });
            }
        }
        context.progress.enter(Phase::Writing);
        let mut sample = Vec::new();
        for shard in 0..fold.shards() {
            let (rows, parked) = self.finish(context, fold.take(shard)).await?;
            let keep = context.verify.sample(fold.shards());
            sample.extend(rows.iter().take(keep).map(|row| (row.key.clone(), Version(row.revision.0))));
            if context.dry_run {
                context.progress.wrote(rows.len() as u64, 0);
                continue;
            }
            let writing = context.writing().await?;
            let transactions: Vec<_> = rows.iter().cloned().map(row).collect();
            let there = writing.add(&transactions).await?;
            let there = there.into_iter().filter_map(|place| rows.get(place).cloned()).collect();
            writing.raise(there).await?;
            writing.park(&parked).await?;
        }
        if !context.dry_run {
            context.progress.enter(Phase::Verifying);
            self.compare_own(context, &sample).await?;
        }
        Ok(Filled::Done)
    }

    /// The rows of some streams as they are to be written, and the records of those that cannot be applied.
    async fn finish(
        &self,
        context: &Context,
        streams: Vec<Own<P>>,
    ) -> Result<(Vec<RowWrite>, Vec<Parked>), BackfillError> {
        let (mut rows, mut parked) = (Vec::with_capacity(streams.len()), Vec::new());
        for own in streams {
            let key = own.stream.id();
            let json = own.fields.as_ref().map(|fields| guarded(|| row_json(key, fields))).transpose();
            let folded = match json {
                Ok(fields) if own.trouble != Trouble::Broken => {
                    Refolded { version: Version(own.version), fields, parked: own.parked() }
                }
                // Which event is to blame, the step finds out.
                _ => {
                    refold(&self.definition, context.ledger.as_ref(), &own.stream, Version(own.seen)).await?
                }
            };
            if !folded.version.is_empty() {
                let (key, revision) = (key.to_owned(), Revision(folded.version.0));
                rows.push(RowWrite { key, fields: folded.fields, revision, expect: Expect::Absent });
            }
            parked.extend(folded.parked);
        }
        Ok((rows, parked))
    }
}

/// Reads what is missing of a stream from the ledger, and what it has beyond.
async fn fill_gap<P: Projection>(
    context: &Context,
    fold: &OwnFold<P>,
    stream: StreamName,
    version: u64,
) -> Result<(), BackfillError> {
    let (mut read, mut scratch) = (Some(Read::after(Version(version))), Scratch::default());
    while let Some(next) = read {
        let page = context.ledger.read(&stream, next.clone()).await?;
        for commit in &page.commits {
            let _ = visit_commit(commit, &mut |event| fold.see(&event, &mut scratch));
        }
        read = next.following(&page);
    }
    Ok(())
}
