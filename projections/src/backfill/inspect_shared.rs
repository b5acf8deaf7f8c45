//! Live rows that are fed by many streams, compared with a fold up to the versions that the generation has of each.
//!
//! Whatever changes such a row raises its revision in the same transaction as the versions of its streams. So a row
//! whose revision is the same before and after the versions were read has exactly those versions, of all streams that
//! feed it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use headwater::StreamName;
use tokio::time::sleep;

use super::compare::difference;
use super::heads::Heads;
use super::inspect_own::{Revisions, load, written};
use super::inspection::{PassedOver, Repaired, Verdict, Verified, revisions};
use super::limits::{LOOK_EVERY, LOOKS};
use super::shared::{Cut, Depth, Until};
use super::target::{Context, Typed};
use super::{BackfillError, Slot};
use crate::rows::{StoredRow, Wanted};
use crate::{Expect, Projection, Revision, RowWrite};

impl<P: Projection> Typed<P> {
    pub(super) async fn verify_shared(
        &self,
        context: &Context,
        passed_over: &PassedOver,
    ) -> Result<Verified, BackfillError> {
        self.refuse(passed_over.any())?;
        let mut found = Verified::default();
        // A row that differs is looked at once more: it may have come or gone between two looks.
        let (mut left, mut seen): (Option<BTreeSet<String>>, BTreeMap<String, Verdict>) =
            (None, BTreeMap::new());
        for look in 0..LOOKS {
            if look > 0 {
                sleep(LOOK_EVERY).await;
            }
            let names = Heads::of(context, self.categories()).await?.into_keys().collect();
            let before = listed(context).await?;
            let cut = Arc::new(versions(context, names).await?);
            let after = listed(context).await?;
            let mut again = BTreeSet::new();
            for (key, folded) in self.fold_cut(context, &cut, None, &before).await? {
                if left.as_ref().is_some_and(|left| !left.contains(&key)) {
                    continue;
                }
                let (one, other) = (before.get(&key), after.get(&key));
                let verdict = if one.map(|row| row.revision) == other.map(|row| row.revision) {
                    let found = difference(&key, one, None, folded.as_deref());
                    found.map_or(Verdict::Same, Verdict::Differs)
                } else {
                    Verdict::Moving
                };
                let confirmed = seen.get(&key) == Some(&verdict);
                if verdict == Verdict::Same || (confirmed && verdict != Verdict::Moving) {
                    seen.remove(&key);
                    found.count(verdict);
                } else {
                    again.insert(key.clone());
                    seen.insert(key, verdict);
                }
            }
            if again.is_empty() {
                break;
            }
            left = Some(again);
        }
        seen.into_values().for_each(|_| found.count(Verdict::Moving));
        Ok(found)
    }

    pub(super) async fn look_shared(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Verdict, BackfillError> {
        self.refuse(passed_over.any())?;
        Ok(match self.at_rest(context, key).await? {
            None => Verdict::Moving,
            Some((stored, folded)) => difference(key, stored.as_ref(), None, folded.as_deref())
                .map_or(Verdict::Same, Verdict::Differs),
        })
    }

    pub(super) async fn repair_shared(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Repaired, BackfillError> {
        self.refuse(passed_over.any())?;
        for _ in 0..LOOKS {
            let Some((stored, folded)) = self.at_rest(context, key).await? else { continue };
            let found = difference(key, stored.as_ref(), None, folded.as_deref());
            let before = stored.as_ref().map_or(0, |row| row.revision.0);
            let unchanged = Repaired { generation: 0, difference: None, revision: before };
            let Some(found) = found else { return Ok(unchanged) };
            // One more, so that whoever has the row in memory loses its next write, and reads it.
            let revision = Revision(before + 1);
            let expect = stored.map_or(Expect::Absent, |row| Expect::Revision(row.revision));
            if written(context, RowWrite { key: key.to_owned(), fields: folded, revision, expect }).await? {
                return Ok(Repaired { difference: Some(found), revision: revision.0, ..unchanged });
            }
        }
        Err(BackfillError::Contended { projection: P::NAME.to_owned() })
    }

    /// A row, and what the events give that it has; nothing when it changes all the time.
    async fn at_rest(
        &self,
        context: &Context,
        key: &str,
    ) -> Result<Option<(Option<StoredRow>, Option<Bytes>)>, BackfillError> {
        for look in 0..LOOKS {
            if look > 0 {
                sleep(LOOK_EVERY).await;
            }
            let names = Heads::of(context, self.categories()).await?.into_keys().collect();
            let before = load(context, key).await?;
            let cut = Arc::new(versions(context, names).await?);
            if load(context, key).await? == before {
                let mut folded = self.fold_cut(context, &cut, Some(key), &Revisions::new()).await?;
                return Ok(Some((before, folded.remove(key).flatten())));
            }
        }
        Ok(None)
    }

    /// Rows folded up to a cut, in slots that fit into memory: all of them and those that are stored, or the one.
    async fn fold_cut(
        &self,
        context: &Context,
        cut: &Arc<Cut>,
        only: Option<&str>,
        stored: &Revisions,
    ) -> Result<HashMap<String, Option<Bytes>>, BackfillError> {
        let mut all: HashMap<_, _> = stored.keys().map(|key| (key.clone(), None)).collect();
        let mut slots = vec![only.map_or(Slot::ALL, Slot::around)];
        while let Some(slot) = slots.pop() {
            let (until, depth) = (Until::Cut(Arc::clone(cut)), Depth::Rows { careful: false });
            let Some(fold) = self.folded(context, slot, until, depth).await? else {
                let (budget, of) = (context.memory_bytes, slot.of());
                slots.extend(slot.halves().ok_or(BackfillError::Memory { budget, slots: of })?);
                continue;
            };
            self.refuse(fold.streams(|stream| stream.is_short()).first().map(|stream| &stream.name))?;
            let rows = fold.folded().map_err(|key| super::write::unfit(&key))?;
            all.extend(rows.into_iter().map(|row| (row.key, row.fields)));
        }
        Ok(all)
    }

    fn categories(&self) -> Vec<&'static str> {
        self.definition.sources().iter().map(crate::Source::category).collect()
    }

    /// Events that were passed over by order are in no fold.
    fn refuse(&self, stream: Option<&StreamName>) -> Result<(), BackfillError> {
        let projection = P::NAME.to_owned();
        stream.map_or(Ok(()), |stream| Err(BackfillError::PassedOver { projection, stream: stream.clone() }))
    }
}

async fn listed(context: &Context) -> Result<Revisions, BackfillError> {
    let mut all = Revisions::new();
    revisions(context, |row| drop(all.insert(row.key.clone(), row))).await?;
    Ok(all)
}

/// The versions that the generation has of streams.
async fn versions(context: &Context, names: Vec<StreamName>) -> Result<Cut, BackfillError> {
    let mut cut = Cut::with_capacity(names.len());
    for some in names.chunks(100) {
        let wanted = Wanted { streams: some.iter().cloned().collect(), ..Wanted::default() };
        let load = || context.rows.load(&context.generation, &wanted);
        let loaded = context.writing().await?.patiently(0, load).await?;
        cut.extend(loaded.versions.into_iter().map(|(name, version)| (name, version.0)));
    }
    Ok(cut)
}
