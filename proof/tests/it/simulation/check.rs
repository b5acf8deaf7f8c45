//! The laws, checked at every write where it arrives, and in the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::store::Position;
use headwater::{StreamName, Version};
use headwater_projections::group::{Checkpoint, Lease};
use headwater_projections::rows::{Generation, List, Wanted};
use headwater_projections::{Parked, Projection, RowStore, Transaction};
use headwater_proof::simulation::lock;

use super::account::{Balance, Total, balance_at, totals};
use super::shared::{Shared, now};

/// A row that is fed by one stream is what its version says, at every moment (L5, L6).
pub(crate) fn rows(shared: &Shared, generation: &Generation, transaction: &Transaction) {
    if &*generation.projection != Balance::NAME {
        return;
    }
    for row in &transaction.rows {
        let stream = StreamName::new("account", row.key.as_str()).expect("rows are accounts");
        let commits = shared.commits(&stream);
        let stored: Option<Balance> =
            row.fields.as_deref().map(|json| serde_json::from_slice(json).expect("rows fit"));
        let expected = balance_at(&commits, row.revision.0);
        if stored != expected {
            shared.air.broke(format!(
                "L5: row {} at version {} is {stored:?}, its events make {expected:?}",
                row.key, row.revision.0
            ));
        }
    }
}

/// A lease goes nowhere back, and no checkpoint passes what is not done (L7).
pub(crate) fn lease(shared: &Shared, before: Option<&Lease>, after: &Lease) {
    if let Some(before) = before.filter(|before| !follows(before, after)) {
        shared.air.broke(format!("L7: a lease went back: {before:?} became {after:?}"));
    }
    for (name, checkpoint) in &after.checkpoints {
        let known = before.and_then(|before| before.checkpoints.get(name));
        if known == Some(checkpoint) {
            continue;
        }
        let (from, until) = match (known, checkpoint) {
            (Some(Checkpoint::End), _) => continue,
            (Some(Checkpoint::At(from)), Checkpoint::At(until)) => (Some(from), Some(until)),
            (Some(Checkpoint::At(from)), Checkpoint::End) => (Some(from), None),
            (None, Checkpoint::At(until)) => (None, Some(until)),
            (None, Checkpoint::End) => (None, None),
        };
        passed(shared, after, name, from, until);
    }
}

fn passed(shared: &Shared, lease: &Lease, name: &str, from: Option<&Position>, until: Option<&Position>) {
    let (projection, number) = name.rsplit_once("-g").expect("a generation is named so");
    let generation = Generation::new(projection, number.parse().expect("a number"));
    let mut reached: BTreeMap<StreamName, Version> = BTreeMap::new();
    for record in lock(&shared.feed).between(&lease.partition, from, until) {
        let stream = &record.commit.stream;
        let last = record.commit.last();
        let highest = reached.entry(stream.clone()).or_default();
        *highest = last.max(*highest);
    }
    for (stream, version) in reached {
        let (applied, parked) = applied(shared, &generation, &stream);
        if applied < version && parked.is_none() {
            shared.air.broke(format!(
                "L7: a checkpoint of {name} in {} is past version {version} of {stream}, applied is {applied}",
                lease.partition
            ));
        }
    }
}

/// The version applied of a stream, and whether it is parked.
pub(crate) fn applied(
    shared: &Shared,
    generation: &Generation,
    stream: &StreamName,
) -> (Version, Option<Parked>) {
    let wanted = Wanted { rows: [stream.id().to_owned()].into(), streams: [stream.clone()].into() };
    let mut loaded = now(shared.rows.load(generation, &wanted)).expect("a store in memory answers");
    let version = if &*generation.projection == Balance::NAME {
        loaded.rows.first().map_or(Version::EMPTY, |row| Version(row.revision.0))
    } else {
        loaded.versions.first().map_or(Version::EMPTY, |(_, version)| *version)
    };
    (version, loaded.parked.pop())
}

/// Whether one write of a lease may follow another.
fn follows(before: &Lease, after: &Lease) -> bool {
    let changed = u64::from(after.owner != before.owner);
    let same_history = after.losses == before.losses;
    let kept = |(generation, checkpoint): (&Arc<str>, &Checkpoint)| match (
        checkpoint,
        after.checkpoints.get(generation),
    ) {
        (Checkpoint::At(before), Some(Checkpoint::At(after))) => after >= before || !same_history,
        (Checkpoint::End, after) => after == Some(&Checkpoint::End),
        (Checkpoint::At(_), after) => after.is_some() || !same_history,
    };
    after.counter == before.counter + 1
        && after.incarnation >= before.incarnation + changed
        && after.losses >= before.losses
        && before.checkpoints.iter().all(kept)
}

/// What is not yet as a plain fold of the ledger says, if anything.
pub(crate) fn difference(shared: &Shared) -> Option<String> {
    let streams = lock(&shared.streams).clone();
    let mut balances = live::<Balance>(shared);
    for (stream, commits) in &streams {
        let version = commits.last().map_or(0, |commit| commit.last().0);
        let (found, expected) = (balances.remove(stream.id()), balance_at(commits, version));
        if found != expected {
            return Some(format!("the row of {stream} is {found:?}, the fold {expected:?}"));
        }
    }
    let (found, expected) = (live::<Total>(shared), totals(&streams));
    (found != expected).then(|| format!("totals are {found:?}, the fold {expected:?}"))
}

/// The parked streams of both projections.
pub(crate) fn parked(shared: &Shared) -> Vec<(&'static str, Parked)> {
    let of = |name: &'static str| {
        let generation = Generation::new(name, 1);
        let parked = now(shared.rows.parked(&generation, None, 1_000)).expect("a store in memory answers");
        parked.into_iter().map(move |parked| (name, parked))
    };
    of(Balance::NAME).chain(of(Total::NAME)).collect()
}

fn live<P: Projection>(shared: &Shared) -> BTreeMap<String, P> {
    let generation = Generation::new(P::NAME, 1);
    let list = List { after: None, limit: 1_000 };
    let page = now(shared.rows.list(&generation, &list)).expect("a store in memory answers");
    let read = |json: &[u8]| serde_json::from_slice(json).expect("rows fit");
    page.rows.into_iter().filter_map(|row| Some((row.key, read(row.fields.as_deref()?)))).collect()
}
