//! The step: what a batch of commits does to the rows of a projection. Pure: no clock, no I/O, no async.
//!
//! It looks at each event of each commit in feed order and at the version last applied of its stream:
//!
//! - Not above: a repeat, dropped.
//! - The next: decoded, upcast and applied to the rows it names. An event that names no row counts as applied, too: the
//!   version of its stream moves on, so that the next event does not look like a gap. A row fed by one stream carries
//!   that version itself; if it has no data yet, a row without fields is written, as it is for a deleted row.
//! - Further on: a gap. The step answers with what it needs, and the caller puts it in front of the commit.
//!
//! Nothing in memory changes unless the answer is [`Step::Writes`], so a step can be asked as often as it takes.

use std::collections::HashMap;
use std::sync::Arc;

use headwater::{Commit, RecordedEvent, StreamName, Version};

use crate::fold::{Care, Fold, Unfit, guarded};
use crate::memory::Memory;
use crate::rows::Wanted;
use crate::source::{Changes, Source};
use crate::{Cause, CauseKind, Definition, Keys, Parked, Projection, Transaction};

/// Commits in feed order, with what the ledger had in the gaps put in its place.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The commits, of any streams.
    pub commits: Vec<Arc<Commit>>,
    /// Streams whose gap the ledger could not fill, and why. They are parked at the gap.
    pub holes: HashMap<StreamName, String>,
    /// Streams of which somebody ordered that the events up to and with a version are passed over: they count as
    /// applied and change no row.
    pub discarded: HashMap<StreamName, Version>,
    /// Whether each event is to be written on its own, because the row store did not take them together.
    pub one_by_one: bool,
    /// Streams with an event whose rows the row store cannot hold, and why. They are parked at it.
    pub unfit: HashMap<StreamName, (Version, String)>,
}

impl From<Vec<Arc<Commit>>> for Batch {
    fn from(commits: Vec<Arc<Commit>>) -> Self {
        Self { commits, ..Self::default() }
    }
}

/// Versions of a stream that the feed has not brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The stream.
    pub stream: StreamName,
    /// The version before the gap.
    pub after: Version,
    /// The last version of the gap.
    pub until: Version,
    /// The index in the batch of the commit behind the gap; what is missing belongs in front of it.
    pub before: usize,
}

/// What a batch comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Something has to be known first; memory is as it was. The gaps are in the order of the batch.
    Needs(Wanted, Vec<Gap>),
    /// This is to be written; memory stands behind it already and must be cleared if a write is lost.
    Writes(Writes),
}

/// What a batch changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writes {
    /// To be written in this order. Those of rows fed by one stream are independent of each other.
    pub transactions: Vec<Transaction>,
    /// Streams that were parked, or that were parked before and have a higher version now.
    pub parked: Vec<Parked>,
    /// The streams that moved on, and their versions.
    pub advanced: Vec<(StreamName, Version)>,
    /// Events applied, ignored ones included.
    pub applied: u64,
    /// Events that had been applied before.
    pub duplicates: u64,
}

/// Decides what a batch does.
pub fn step<P: Projection>(definition: &Definition<P>, memory: &mut Memory<P>, batch: &Batch) -> Step {
    let (wanted, gaps) = survey(definition, memory, batch);
    if !wanted.is_empty() || !gaps.is_empty() {
        return Step::Needs(wanted, gaps);
    }
    let plan = plan(definition, memory, batch);
    let wanted = plan.unknown_rows(memory);
    if !wanted.is_empty() {
        return Step::Needs(wanted, Vec::new());
    }
    // Rows are written as JSON once a batch. Only if one does not fit is each event weighed by itself, to park the
    // stream at the event that is to blame.
    let care = if batch.one_by_one { Care::OneByOne } else { Care::PerBatch };
    let folded = Fold::run(memory, &plan, care)
        .or_else(|Unfit| Fold::run(memory, &plan, Care::PerEvent))
        .expect("rows that were written as JSON one by one fit");
    Step::Writes(folded.remember(memory, plan.duplicates))
}

/// Finds streams that are not in memory, and gaps. Looks at versions only.
fn survey<P: Projection>(
    definition: &Definition<P>,
    memory: &Memory<P>,
    batch: &Batch,
) -> (Wanted, Vec<Gap>) {
    let (mut wanted, mut gaps) = (Wanted::default(), Vec::new());
    let mut heads: hashbrown::HashMap<&StreamName, Version> = hashbrown::HashMap::new();
    for (before, commit) in batch.commits.iter().enumerate() {
        let stream = &commit.stream;
        if definition.source(stream.category()).is_none() {
            continue;
        }
        let state = memory.streams.get(stream);
        let Some(state) = state.filter(|_| P::SHARED || memory.rows.contains_key(stream.id())) else {
            if !P::SHARED {
                wanted.rows.insert(stream.id().to_owned());
            }
            wanted.streams.insert(stream.clone());
            continue;
        };
        if state.parked.is_some() || batch.holes.contains_key(stream) {
            continue;
        }
        let head = heads.entry(stream).or_insert(state.version);
        if commit.first > head.next() {
            let until = Version(commit.first.0 - 1);
            gaps.push(Gap { stream: stream.clone(), after: *head, until, before });
        }
        *head = commit.last().max(*head);
    }
    (wanted, gaps)
}

/// A batch with repeats taken out and each event decoded.
pub(crate) struct Plan<'a, P> {
    pub(crate) items: Vec<Item<'a, P>>,
    duplicates: u64,
}

/// One event of a plan.
pub(crate) struct Item<'a, P> {
    pub(crate) stream: &'a StreamName,
    pub(crate) version: Version,
    pub(crate) work: Work<'a, P>,
}

/// What is to be done with an event.
pub(crate) enum Work<'a, P> {
    /// Apply it to the rows of these keys; one list for each event it was decoded to.
    Apply(Box<dyn Changes<P> + 'a>, Vec<Vec<String>>),
    /// It cannot be applied.
    Fail(Cause),
    /// It stands behind one that cannot be applied.
    Behind,
}

fn plan<'a, P: Projection>(definition: &Definition<P>, memory: &Memory<P>, batch: &'a Batch) -> Plan<'a, P> {
    let mut plan = Plan { items: Vec::new(), duplicates: 0 };
    let mut heads: hashbrown::HashMap<&StreamName, (Version, bool)> = hashbrown::HashMap::new();
    for commit in &batch.commits {
        let stream = &commit.stream;
        let (Some(source), Some(state)) = (definition.source(stream.category()), memory.streams.get(stream))
        else {
            continue;
        };
        let (head, blocked) = heads.entry(stream).or_insert((state.version, state.parked.is_some()));
        for event in commit.recorded() {
            let version = event.version();
            if version <= *head {
                plan.duplicates += 1;
                continue;
            }
            let passed_over = batch.discarded.get(stream).copied().unwrap_or_default();
            if !*blocked && version > head.next().max(passed_over.next()) {
                let reason = batch.holes.get(stream).map_or("it was not read", String::as_str);
                let cause = Cause::new(CauseKind::Missing, format!("the ledger does not have it: {reason}"));
                plan.items.push(Item { stream, version: head.next(), work: Work::Fail(cause) });
                *blocked = true;
            }
            let work = match () {
                () if *blocked => Work::Behind,
                () if version <= passed_over => Work::Apply(Box::new(Discarded), Vec::new()),
                () => match batch.unfit.get(stream).filter(|(unfit, _)| *unfit == version) {
                    Some((_, reason)) => Work::Fail(Cause::new(CauseKind::TooLarge, reason)),
                    None => prepare(source, event),
                },
            };
            *blocked |= matches!(work, Work::Fail(_));
            if !*blocked {
                *head = version;
            }
            plan.items.push(Item { stream, version, work });
        }
    }
    plan
}

/// An event that is passed over.
struct Discarded;

impl<P> Changes<P> for Discarded {
    fn keys(&self) -> Vec<Keys> {
        Vec::new()
    }

    fn apply(&self, _: usize, _: &mut P) -> bool {
        true
    }
}

/// Decodes an event and asks the projection for its keys.
fn prepare<'a, P: Projection>(source: &Source<P>, event: RecordedEvent<'a>) -> Work<'a, P> {
    guarded(|| {
        let changes = source.decode(event).map_err(|error| Cause::of(CauseKind::Undecodable, &error))?;
        let keys = changes.keys().into_iter();
        let keys = keys.map(|keys| keys.resolve(P::NAME, P::SHARED, &event.commit.stream));
        let keys = keys.collect::<Result<Vec<_>, Cause>>()?;
        Ok(Work::Apply(changes, keys))
    })
    .unwrap_or_else(Work::Fail)
}

impl<P: Projection> Plan<'_, P> {
    fn unknown_rows(&self, memory: &Memory<P>) -> Wanted {
        let mut wanted = Wanted::default();
        for item in &self.items {
            if let Work::Apply(_, keys) = &item.work {
                let unknown = keys.iter().flatten().filter(|key| !memory.rows.contains_key(*key));
                wanted.rows.extend(unknown.cloned());
            }
        }
        wanted
    }
}
