//! Live rows that are fed by one stream each, compared one by one and put right.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use headwater::{StreamName, Version};
use tokio::time::sleep;

use super::BackfillError;
use super::compare::{Verify, difference};
use super::heads::Heads;
use super::inspection::{PassedOver, Repaired, Verdict, Verified, has_more, revisions};
use super::limits::{DIFFERENCES, LOOK_EVERY, LOOKS, SAMPLE_ROWS, STREAMS_IN_FLIGHT};
use super::refold::{Refolded, refold};
use super::target::{Context, Typed};
use crate::random::random;
use crate::rows::{StoredRow, Wanted, Written};
use crate::{Expect, Projection, Revision, RowWrite, Transaction};

impl<P: Projection> Typed<P> {
    pub(super) async fn verify_own(
        &self,
        context: &Context,
        which: Verify,
        passed_over: &PassedOver,
    ) -> Result<Verified, BackfillError> {
        let keys = self.keys(context, which).await?;
        let looking: Vec<_> = keys.iter().map(|key| self.look_own(context, key, passed_over)).collect();
        let mut looking = futures::stream::iter(looking).buffered(STREAMS_IN_FLIGHT);
        let mut found = Verified::default();
        while let Some(verdict) = looking.try_next().await? {
            found.count(verdict);
        }
        Ok(found)
    }

    /// The keys to be compared. All: those of the ledger and those of the rows. A sample: of the rows.
    async fn keys(&self, context: &Context, which: Verify) -> Result<Vec<String>, BackfillError> {
        let (mut keys, mut seen) = (Vec::new(), 0_u64);
        let most = if which == Verify::Sample { SAMPLE_ROWS } else { usize::MAX };
        revisions(context, |row| {
            // Each row has the same chance to be among those that are kept.
            seen += 1;
            if keys.len() < most {
                keys.push(row.key);
            } else if let Ok(place) = usize::try_from(random() % seen)
                && let Some(kept) = keys.get_mut(place)
            {
                *kept = row.key;
            }
        })
        .await?;
        if which == Verify::All {
            let heads = Heads::of(context, vec![self.category()]).await?;
            keys.extend(heads.into_keys().map(|stream| stream.id().to_owned()));
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    fn category(&self) -> &'static str {
        self.definition.sources().first().map(crate::Source::category).unwrap_or_default()
    }

    pub(super) async fn look_own(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Verdict, BackfillError> {
        let Ok(stream) = StreamName::new(self.category(), key) else {
            let stored = load(context, key).await?;
            let found = difference(key, stored.as_ref(), Some(Version::EMPTY), None);
            return Ok(found.map_or(Verdict::Same, Verdict::Differs));
        };
        if passed_over.has(&stream) {
            return Ok(Verdict::PassedOver);
        }
        for look in 0..LOOKS {
            if look > 0 {
                sleep(LOOK_EVERY).await;
            }
            let stored = load(context, key).await?;
            let there = stored.as_ref().map_or(Version::EMPTY, |row| Version(row.revision.0));
            let folded = self.fold_until(context, &stream, there).await?;
            if folded.version < there && folded.parked.is_some() {
                return Ok(Verdict::PassedOver);
            }
            // Events of a commit that are written one by one: the others come in a moment.
            if folded.version > there {
                continue;
            }
            let found = difference(key, stored.as_ref(), Some(folded.version), folded.fields.as_deref());
            if let Some(found) = found {
                return Ok(Verdict::Differs(found));
            }
            let behind = folded.parked.is_none() && has_more(context, &stream, there).await?;
            return Ok(if behind { Verdict::Behind } else { Verdict::Same });
        }
        Ok(Verdict::Moving)
    }

    async fn fold_until(
        &self,
        context: &Context,
        stream: &StreamName,
        until: Version,
    ) -> Result<Refolded, BackfillError> {
        if until.is_empty() {
            return Ok(Refolded { version: until, fields: None, parked: None });
        }
        refold(&self.definition, context.ledger.as_ref(), stream, until).await
    }

    pub(super) async fn repair_own(
        &self,
        context: &Context,
        key: &str,
        passed_over: &PassedOver,
    ) -> Result<Repaired, BackfillError> {
        let stream = StreamName::new(self.category(), key);
        let to_head = Version(u64::MAX);
        for _ in 0..LOOKS {
            let stored = load(context, key).await?;
            let there = stored.as_ref().map_or(Version::EMPTY, |row| Version(row.revision.0));
            let folded = match &stream {
                Ok(stream) => self.fold_until(context, stream, to_head).await?,
                Err(_) => Refolded { version: Version::EMPTY, fields: None, parked: None },
            };
            if let Ok(stream) = &stream
                && (passed_over.has(stream) || (folded.version < there && folded.parked.is_some()))
            {
                let projection = P::NAME.to_owned();
                return Err(BackfillError::PassedOver { projection, stream: stream.clone() });
            }
            let found = difference(key, stored.as_ref(), Some(folded.version), folded.fields.as_deref());
            let (revision, expect) = match &stored {
                // Of a row that no stream has, the revision stays.
                Some(stored) => (folded.version.max(there), Expect::Revision(stored.revision)),
                None => (folded.version, Expect::Absent),
            };
            let revision = Revision(revision.0);
            let repaired = Repaired { generation: 0, difference: found, revision: revision.0 };
            if repaired.difference.is_none() || revision.0 == 0 {
                return Ok(repaired);
            }
            let row = RowWrite { key: key.to_owned(), fields: folded.fields, revision, expect };
            if written(context, row).await? {
                return Ok(repaired);
            }
        }
        Err(BackfillError::Contended { projection: P::NAME.to_owned() })
    }
}

/// A row as it is stored.
pub(super) async fn load(context: &Context, key: &str) -> Result<Option<StoredRow>, BackfillError> {
    let wanted = Wanted { rows: [key.to_owned()].into(), ..Wanted::default() };
    let load = || context.rows.load(&context.generation, &wanted);
    Ok(context.writing().await?.patiently(0, load).await?.rows.into_iter().next())
}

/// Writes a row; `false` when its condition did not hold.
pub(super) async fn written(context: &Context, row: RowWrite) -> Result<bool, BackfillError> {
    let transaction = Transaction { rows: vec![row], versions: Vec::new() };
    let write = || context.rows.write(&context.generation, &transaction);
    Ok(context.writing().await?.patiently(1, write).await? == Written::Done)
}

impl Verified {
    pub(super) fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Moving => self.moving += 1,
            Verdict::PassedOver => self.passed_over += 1,
            Verdict::Same | Verdict::Behind | Verdict::Differs(_) => self.compared += 1,
        }
        match verdict {
            Verdict::Behind => self.behind += 1,
            Verdict::Differs(difference) => {
                self.different += 1;
                if self.differences.len() < DIFFERENCES {
                    self.differences.push(difference);
                }
            }
            _ => {}
        }
    }
}

/// Rows by key.
pub(super) type Revisions = BTreeMap<String, StoredRow>;
