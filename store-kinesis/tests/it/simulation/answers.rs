//! What an answer of the executor says, held against the ledger as it is.

use headwater::execute::ErasedRefusal;
use headwater::store::StoreError;
use headwater::{ExecuteError, Expected, StreamName, Version};
use serde_json::Value;

use super::errands::{Began, Errand};
use super::purse::{PurseCommand, PurseEvent};
use super::purses::Purses;

/// An answer that everything was carried out.
#[derive(Debug)]
pub(crate) struct Done {
    /// The version of each purse after it.
    pub(crate) versions: Vec<(StreamName, Version)>,
    /// What happened, if it is said.
    pub(crate) events: Option<Vec<PurseEvent>>,
    pub(crate) replayed: bool,
}

type Answer = Result<Done, ExecuteError<ErasedRefusal>>;

/// Whether an answer is true, and what may be relied on from now on.
pub(crate) fn judge(
    purses: &mut Purses,
    errand: &Errand,
    began: &Began,
    answer: Answer,
) -> Result<(), String> {
    let there = began.there && errand.key.is_some();
    let error = match answer {
        Ok(done) => return carried_out(purses, errand, began, &done),
        // It may have been carried out.
        Err(ExecuteError::Store(StoreError::OutcomeUnknown { .. })) => return Ok(()),
        Err(ExecuteError::Store(error)) if error.retry_helps() => {
            tries(purses, errand).fail(began.this);
            return Ok(());
        }
        Err(error) => error,
    };
    let cannot = match &error {
        ExecuteError::Refused { refusal, version } => {
            refused(purses, errand, began, refusal, *version)?;
            false
        }
        ExecuteError::Precondition { stream, expected, actual, .. } => {
            let head = purses.head(stream);
            let known = purses.sum_at(stream, *actual).is_some();
            if expected.allows(*actual) || !known || *actual < least(began, stream) || *actual > head {
                return Err(format!("L3: {error}, and {stream} is at {head}"));
            }
            match expected {
                Expected::Exact(version) => actual > version,
                _ => *expected == Expected::NoStream,
            }
        }
        ExecuteError::KeyReused { stream, first, .. } => {
            let used = purses.deed_at(stream, *first).map(|deed| (deed.errand, deed.key.as_deref()));
            let key = errand.key.as_ref().map(|key| key.as_str());
            if used.is_none_or(|(of, used)| of == errand.number || used != key) {
                return Err(format!("L3: {error}, and there is {used:?}"));
            }
            true
        }
        ExecuteError::Contended { .. } => false,
        error => return Err(format!("L1: a command fails: {error}")),
    };
    if there {
        return Err(format!("L3: it was carried out before, and is answered {error}"));
    }
    refuse(purses, errand, began, cannot)
}

/// A client hears that it was not carried out.
fn refuse(purses: &mut Purses, errand: &Errand, began: &Began, cannot: bool) -> Result<(), String> {
    tries(purses, errand).refuse(began.this, cannot);
    match tries(purses, errand).is_refused() && purses.deeds_of(errand.number) > 0 {
        true => Err("L3: it is in the ledger, and a client is told that it is not".to_owned()),
        false => Ok(()),
    }
}

/// What is said to be carried out is in the ledger where it is said to be; what had no effect could have none.
fn carried_out(purses: &mut Purses, errand: &Errand, began: &Began, done: &Done) -> Result<(), String> {
    if done.versions.len() != errand.commands.len() {
        return Err(format!("L3: another errand was carried out: {done:?}"));
    }
    let mut effect = false;
    for ((id, command), (stream, version)) in errand.commands.iter().zip(&done.versions) {
        if id.stream() != stream {
            return Err(format!("L3: another purse was changed: {done:?}"));
        }
        let told = done.events.as_ref().map(|events| sums(events, errand.number));
        let deed = purses.deed(stream, errand.number);
        if deed.is_some_and(|deed| deed.last() == *version && told.is_none_or(|told| told == deed.sums)) {
            effect = true;
        } else if !done.replayed || errand.commands.len() == 1 {
            let sum = purses.sum_at(stream, *version);
            let none = matches!(command, PurseCommand::TakeAll { .. }) && sum == Some(0);
            if !none || done.replayed || *version < least(began, stream) {
                return Err(format!("L3: {done:?} with {sum:?} in the purse, and the ledger has {deed:?}"));
            }
        }
    }
    if began.there && !done.replayed || done.replayed && !effect {
        return Err(format!("L3: the answer to the key is another: {done:?}"));
    }
    if effect {
        let tale = purses.tales.get_mut(&errand.number).ok_or("nobody asked for it")?;
        tale.tries.heard();
        tale.acknowledged = true;
    } else {
        // Without an effect nothing is kept, as after a refusal.
        refuse(purses, errand, began, false)?;
    }
    for (stream, version) in &done.versions {
        let known = purses.known.entry(stream.clone()).or_default();
        *known = (*version).max(*known);
    }
    Ok(())
}

/// A refusal follows from a state that was the newest at some time since the client asked.
fn refused(
    purses: &Purses,
    errand: &Errand,
    began: &Began,
    refusal: &ErasedRefusal,
    version: Version,
) -> Result<(), String> {
    let told = refusal.fields.get("sum").and_then(Value::as_u64);
    let follows = errand.commands.iter().any(|(id, command)| {
        let (stream, sum) = (id.stream(), purses.sum_at(id.stream(), version));
        let PurseCommand::Take { amount, .. } = command else { return false };
        version >= least(began, stream) && sum == told && sum.is_some_and(|sum| sum < *amount)
    });
    if follows { Ok(()) } else { Err(format!("L3: {refusal:?} at {version} does not follow: {began:?}")) }
}

fn tries<'a>(purses: &'a mut Purses, errand: &Errand) -> &'a mut super::tries::Tries {
    &mut purses.tales.get_mut(&errand.number).expect("it has begun").tries
}

fn least(began: &Began, stream: &StreamName) -> Version {
    began.heads.get(stream).copied().unwrap_or_default()
}

fn sums(events: &[PurseEvent], number: u64) -> Vec<u64> {
    let all = events.iter().filter_map(|event| match event {
        PurseEvent::Given { errand, sum, .. } | PurseEvent::Taken { errand, sum, .. } => {
            (*errand == number).then_some(*sum)
        }
    });
    all.collect()
}
