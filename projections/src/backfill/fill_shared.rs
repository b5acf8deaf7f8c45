//! Filling a slot of rows that are fed by many streams.
//!
//! Up to where each stream counts is settled once, by writing the versions of the new generation before any row: the
//! first write of a version wins, and everybody folds up to it. So a slot comes out the same however often and by
//! whomever it is filled.

use std::sync::{Arc, PoisonError};

use futures::{StreamExt, TryStreamExt};
use headwater::Version;
use headwater::store::Read;

use super::BackfillError;
use super::Slot;
use super::lanes::{Fold, Scratch};
use super::ledger::visit_commit;
use super::limits::STREAMS_IN_FLIGHT;
use super::progress::Phase;
use super::shared::{Cut, Depth, Folded, SharedFold, Stream, Until};
use super::target::{Context, Filled, Typed};
use super::write::{row, unfit, version};
use crate::rows::Wanted;
use crate::{Expect, Parked, Projection, Revision, RowWrite, VersionWrite};

impl<P: Projection> Typed<P> {
    /// Settles the cut, or finds out what it is. Who settles it is alone in this generation.
    pub(super) async fn settle_cut(&self, context: &Context, done: bool) -> Result<(), BackfillError> {
        for careful in [false, true] {
            if done {
                break;
            }
            // If all rows fit into memory, one pass is enough for the cut and for them. The second time rows are weighed
            // after each event, to find the one that makes a row too large.
            let depth = Depth::Rows { careful };
            let Some(fold) = self.folded(context, Slot::ALL, Until::Head, depth).await? else { break };
            let Ok(rows) = fold.folded() else { continue };
            let streams = fold.streams(|_| true);
            let reached: Vec<_> =
                streams.iter().map(|stream| (stream.name.clone(), stream.version)).collect();
            self.keep_cut(context, streams, false).await?;
            let cut = known(context).unwrap_or_default();
            if reached.iter().all(|(name, version)| cut.get(name).copied().unwrap_or_default() == *version) {
                *context.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
            }
            return Ok(());
        }
        let fold = self.folded(context, Slot::ALL, Until::Head, Depth::Census).await?;
        let Some(fold) = fold else {
            return Err(BackfillError::Memory { budget: context.memory_bytes, slots: 1 });
        };
        self.keep_cut(context, fold.streams(|_| true), done).await
    }

    pub(super) async fn fill_shared(&self, context: &Context, slot: Slot) -> Result<Filled, BackfillError> {
        let ready = context.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        let rows = match ready.filter(|_| slot == Slot::ALL) {
            Some(rows) => rows,
            None => {
                let until = known(context).map_or(Until::Head, Until::Cut);
                let mut careful = false;
                loop {
                    let depth = Depth::Rows { careful };
                    let Some(fold) = self.folded(context, slot, until.clone(), depth).await? else {
                        return Ok(Filled::TooLarge);
                    };
                    let failed = fold.streams(|stream| stream.trouble.is_some());
                    if let Some(parked) = failed.iter().find_map(Stream::parked).filter(|_| !context.dry_run)
                    {
                        return Ok(Filled::Poisoned(Box::new(parked)));
                    }
                    match fold.folded() {
                        Ok(rows) => break rows,
                        Err(key) if careful => return Err(unfit(&key).into()),
                        // Some event makes a row too large: the second time rows are weighed after each.
                        Err(_) => careful = true,
                    }
                }
            }
        };
        if context.dry_run {
            context.progress.wrote(rows.len() as u64, 0);
            return Ok(Filled::Done);
        }
        context.progress.enter(Phase::Writing);
        let add = |Folded { key, fields }: Folded| {
            row(RowWrite { key, fields, revision: Revision(1), expect: Expect::Absent })
        };
        let rows: Vec<_> = rows.into_iter().map(add).collect();
        // One that is there was written by an earlier try, from the same events.
        let _there = context.writing().await?.add(&rows).await?;
        context.progress.enter(Phase::Verifying);
        self.compare_shared(context, &rows).await?;
        Ok(Filled::Done)
    }

    /// Folds, with what is missing read from the ledger; nothing when it does not fit.
    pub(super) async fn folded(
        &self,
        context: &Context,
        slot: Slot,
        until: Until,
        depth: Depth,
    ) -> Result<Option<Arc<SharedFold<P>>>, BackfillError> {
        let fold = SharedFold::new(&self.definition, slot, until, depth, context.rows_bytes());
        let fold = Arc::new(fold);
        context.pass(&(Arc::clone(&fold) as Arc<dyn Fold>)).await?;
        if fold.is_full() {
            return Ok(None);
        }
        context.progress.enter(Phase::Filling);
        let filling =
            fold.streams(Stream::has_gap).into_iter().map(|stream| fill_gap(context, &fold, stream));
        futures::stream::iter(filling).buffer_unordered(STREAMS_IN_FLIGHT).try_collect::<Vec<()>>().await?;
        match fold.streams(Stream::has_gap).into_iter().next() {
            None => Ok(Some(fold)),
            Some(stream) => {
                Err(BackfillError::Hole { stream: stream.name, version: Version(stream.version + 1) })
            }
        }
    }

    /// Writes the versions of streams where nobody has, and takes over those that are there.
    async fn keep_cut(
        &self,
        context: &Context,
        streams: Vec<Stream>,
        done: bool,
    ) -> Result<(), BackfillError> {
        context.progress.enter(Phase::Writing);
        let writing = context.writing().await?;
        let mut cut = Cut::with_capacity(streams.len());
        let parked = load_cut(context, &streams, &mut cut).await?;
        if !done {
            // A stream that failed in an earlier attempt counts up to where it failed.
            let until = |stream: &Stream| {
                let failed = parked.iter().find(|parked| parked.stream == stream.name);
                failed.map_or(stream.version, |parked| stream.version.min(parked.first_failing.0 - 1))
            };
            let missing: Vec<_> = streams.iter().filter(|stream| !cut.contains_key(&stream.name)).collect();
            let adding: Vec<_> = missing
                .iter()
                .map(|stream| (stream.name.clone(), until(stream)))
                .filter(|(_, until)| *until > 0)
                .collect();
            let versions: Vec<_> = adding
                .iter()
                .map(|(stream, until)| {
                    let (stream, expect) = (stream.clone(), Version::EMPTY);
                    version(VersionWrite { stream, version: Version(*until), expect })
                })
                .collect();
            let there = writing.add(&versions).await?;
            cut.extend(adding.iter().cloned());
            let lost: Vec<_> = there.iter().filter_map(|place| adding.get(*place)).collect();
            let lost: Vec<_> = streams
                .iter()
                .filter(|stream| lost.iter().any(|(name, _)| *name == stream.name))
                .cloned()
                .collect();
            load_cut(context, &lost, &mut cut).await?;
            let records: Vec<_> = streams.iter().filter_map(Stream::parked).collect();
            writing.park(&records).await?;
        }
        *context.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(cut));
        Ok(())
    }
}

/// Takes over the versions that are there; answers with the streams that failed before.
async fn load_cut(
    context: &Context,
    streams: &[Stream],
    cut: &mut Cut,
) -> Result<Vec<Parked>, BackfillError> {
    let mut parked = Vec::new();
    for some in streams.chunks(100) {
        let names = some.iter().map(|stream| stream.name.clone()).collect();
        let wanted = Wanted { streams: names, ..Wanted::default() };
        let load = || context.rows.load(&context.generation, &wanted);
        let loaded = context.writing().await?.patiently(0, load).await?;
        cut.extend(loaded.versions.into_iter().map(|(name, version)| (name, version.0)));
        parked.extend(loaded.parked);
    }
    Ok(parked)
}

fn known(context: &Context) -> Option<Arc<Cut>> {
    context.cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Reads what is missing of a stream from the ledger.
async fn fill_gap<P: Projection>(
    context: &Context,
    fold: &SharedFold<P>,
    stream: Stream,
) -> Result<(), BackfillError> {
    let (mut read, mut scratch) = (Some(Read::after(Version(stream.version))), Scratch::default());
    while let Some(next) = read {
        let page = context.ledger.read(&stream.name, next.clone()).await?;
        for commit in &page.commits {
            let _ = visit_commit(commit, &mut |event| fold.see(&event, &mut scratch));
        }
        read = next.following(&page);
    }
    Ok(())
}
