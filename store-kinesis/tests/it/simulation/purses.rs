//! The purses as the ledger has them, checked where each commit arrives: it was decided on the state before it, it is the
//! first of its errand and of its key, nobody was told that it would not be, and a snapshot in it is the state after it.

use std::collections::BTreeMap;

use headwater::{EventData, StreamName, Version};
use headwater_proof::simulation::lock;
use serde_json::{Value, json};

use super::aws::Aws;
use super::conditions::{Item, number, text};
use super::items::{self, Kept};
use super::tries::Tries;

/// What an errand put into a purse or took out of it.
#[derive(Debug)]
pub(crate) struct Deed {
    pub(crate) errand: u64,
    pub(crate) key: Option<String>,
    pub(crate) first: Version,
    /// What is in the purse after each of its events.
    pub(crate) sums: Vec<u64>,
}

/// What one errand came to.
#[derive(Debug)]
pub(crate) struct Tale {
    pub(crate) key: Option<String>,
    pub(crate) tries: Tries,
    /// Whether a client was told that it is carried out.
    pub(crate) acknowledged: bool,
    /// In how many purses it does something at least, if in any.
    pub(crate) together: usize,
}

/// The purses, and what clients asked.
#[derive(Debug, Default)]
pub(crate) struct Purses {
    deeds: BTreeMap<StreamName, Vec<Deed>>,
    pub(crate) tales: BTreeMap<u64, Tale>,
    /// The highest version of a purse that a client has heard of.
    pub(crate) known: BTreeMap<StreamName, Version>,
}

impl Deed {
    pub(crate) fn last(&self) -> Version {
        Version(self.first.0 + self.sums.len() as u64 - 1)
    }
}

impl Purses {
    fn of(&self, purse: &StreamName) -> &[Deed] {
        self.deeds.get(purse).map_or(&[], Vec::as_slice)
    }

    /// What is in a purse at the end of a commit.
    pub(crate) fn sum_at(&self, purse: &StreamName, version: Version) -> Option<u64> {
        match version {
            Version::EMPTY => Some(0),
            _ => self.of(purse).iter().find(|deed| deed.last() == version)?.sums.last().copied(),
        }
    }

    pub(crate) fn head(&self, purse: &StreamName) -> Version {
        self.of(purse).last().map_or(Version::EMPTY, Deed::last)
    }

    /// What an errand did to a purse.
    pub(crate) fn deed(&self, purse: &StreamName, errand: u64) -> Option<&Deed> {
        self.of(purse).iter().find(|deed| deed.errand == errand)
    }

    /// The deed that begins at a version.
    pub(crate) fn deed_at(&self, purse: &StreamName, first: Version) -> Option<&Deed> {
        self.of(purse).iter().find(|deed| deed.first == first)
    }

    /// In how many purses an errand has done something.
    pub(crate) fn deeds_of(&self, errand: u64) -> usize {
        self.deeds.values().flatten().filter(|deed| deed.errand == errand).count()
    }

    /// Errands are carried out whole, and those of which clients were told so.
    pub(crate) fn end(&self) -> Result<(), String> {
        let torn = self.tales.iter().find(|(errand, tale)| {
            let deeds = self.deeds_of(**errand);
            (deeds > 0 || tale.acknowledged) && deeds < tale.together
        });
        torn.map_or(Ok(()), |(errand, tale)| Err(format!("L1: errand {errand} is torn: {tale:?}")))
    }

    /// Every purse there is.
    pub(crate) fn all(&self) -> Vec<StreamName> {
        self.deeds.keys().cloned().collect()
    }
}

/// A commit to a purse is about to be stored.
pub(crate) fn committed(aws: &Aws, kept: &Kept, events: &[EventData], item: &Item) {
    let mut purses = lock(&aws.purses);
    let arrived = arrive(&mut purses, kept, events, item);
    drop(purses);
    if let Err(broken) = arrived {
        aws.air.broke(format!("{broken}, {} of {}", kept.first, kept.stream));
    }
}

fn arrive(purses: &mut Purses, kept: &Kept, events: &[EventData], item: &Item) -> Result<(), String> {
    let mut sum = purses.sum_at(&kept.stream, purses.head(&kept.stream)).unwrap_or_default();
    let (mut errand, mut sums) = (None, Vec::new());
    for event in events {
        let data: Value = serde_json::from_slice(&event.payload).map_err(|error| error.to_string())?;
        let field = |name: &str| data.get(name).and_then(Value::as_u64).ok_or(format!("no {name}"));
        let amount = field("amount")?;
        let after = match event.name.as_ref() {
            "Given" => sum.checked_add(amount),
            _ => sum.checked_sub(amount),
        };
        if after != Some(field("sum")?) {
            return Err(format!("L3: decided on another state than {sum}: {data}"));
        }
        sum = field("sum")?;
        sums.push(sum);
        errand = Some(field("errand")?);
    }
    let errand = errand.ok_or("L1: a commit without events")?;
    let key = item.get("k").and_then(text).map(str::to_owned);
    let tale = purses.tales.get(&errand).ok_or("L3: nobody asked for it")?;
    if tale.key != key {
        return Err(format!("L3: errand {errand} has the key {:?}, its commit {key:?}", tale.key));
    }
    if tale.tries.is_refused() {
        return Err(format!("L3: errand {errand} is carried out after it was refused"));
    }
    if purses.deed(&kept.stream, errand).is_some() {
        return Err(format!("L3: errand {errand} is carried out twice"));
    }
    if key.is_some() && purses.of(&kept.stream).iter().any(|deed| deed.key == key) {
        return Err(format!("L3: two commands under the key {key:?}"));
    }
    let deeds = purses.deeds.entry(kept.stream.clone()).or_default();
    deeds.push(Deed { errand, key, first: kept.first, sums });
    snapshot(deeds, kept, item)
}

/// A snapshot is the state after its commit, and knows every key so far: there are fewer than it may hold (L8).
fn snapshot(deeds: &[Deed], kept: &Kept, item: &Item) -> Result<(), String> {
    let Some(state) = items::bytes(item, "zd") else { return Ok(()) };
    let state: Value = serde_json::from_slice(&state).map_err(|error| error.to_string())?;
    let sum = deeds.last().and_then(|deed| deed.sums.last());
    let expected = json!({ "sum": sum, "changes": kept.last.0 });
    if state != expected || item.get("zs").and_then(number) != Some(1) {
        return Err(format!("L8: a snapshot has {state} where a fold gives {expected}"));
    }
    let keys = items::bytes(item, "zk").unwrap_or_default();
    let firsts = keys.chunks(24).map(|record| record.get(16..).and_then(|first| first.try_into().ok()));
    let firsts: Vec<Option<u64>> = firsts.map(|first| first.map(u64::from_be_bytes)).collect();
    let keyed = deeds.iter().filter(|deed| deed.key.is_some()).map(|deed| Some(deed.first.0));
    if !keyed.eq(firsts.iter().copied()) {
        return Err(format!("L8: a snapshot knows the keys of {firsts:?} of {deeds:?}"));
    }
    Ok(())
}
