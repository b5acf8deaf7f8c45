//! Folding rows that are fed by one stream each: in place, an event at a time, with nothing allocated for it.
//!
//! Streams are spread over shards, each behind a lock of its own, so that several threads fold at once. A row is decided
//! by its stream alone: what goes wrong with it is put right by itself, through the step.

use std::hash::BuildHasher;
use std::mem::size_of;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use headwater::{StreamName, Version};

use super::lanes::{Fold, Scratch};
use super::{HistoryEvent, Slot};
use crate::fold::guarded;
use crate::{Cause, Definition, Parked, Projection, Source};

/// Shards; a thread seldom waits for another.
const SHARDS: usize = 64;
/// Of so many new rows of a shard, one row is weighed.
const WEIGH_EVERY: usize = 64;
/// Bytes of a stream's name and of what the allocator adds.
const NAME_BYTES: usize = 64;

/// The rows of a slot.
pub(super) struct OwnFold<P> {
    source: Source<P>,
    slot: Slot,
    hasher: DefaultHashBuilder,
    shards: Vec<Mutex<Shard<P>>>,
    budget_bytes: usize,
    bytes: AtomicUsize,
    full: AtomicBool,
}

struct Shard<P> {
    rows: HashTable<Own<P>>,
    /// Bytes of a row's fields, as the rows that were weighed say.
    weight: usize,
}

/// A stream and its row.
#[derive(Debug)]
pub(super) struct Own<P> {
    pub(super) stream: StreamName,
    /// The version applied.
    pub(super) version: u64,
    /// The highest version that was seen.
    pub(super) seen: u64,
    pub(super) fields: Option<P>,
    pub(super) trouble: Trouble,
}

/// What is wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// The next event cannot be applied, for this reason. The row is as it was before.
    Parked(Cause),
    /// Code panicked in the middle of an event: the row is not to be believed.
    Broken,
}

impl<P> Own<P> {
    /// Whether versions are missing.
    pub(super) fn has_gap(&self) -> bool {
        self.trouble == Trouble::None && self.seen > self.version
    }

    /// The record of the stream, if it is parked.
    pub(super) fn parked(&self) -> Option<Parked> {
        let Trouble::Parked(cause) = &self.trouble else { return None };
        Some(Parked {
            stream: self.stream.clone(),
            first_failing: Version(self.version + 1),
            highest: Version(self.seen),
            cause: cause.clone(),
            attempts: 1,
        })
    }
}

impl<P: Projection> OwnFold<P> {
    /// A fold of the slot, in so many bytes. The projection is not shared, so it has one source.
    pub(super) fn new(definition: &Definition<P>, slot: Slot, budget_bytes: usize) -> Option<Self> {
        let shard = || Mutex::new(Shard { rows: HashTable::new(), weight: 0 });
        Some(Self {
            source: definition.sources().first()?.clone(),
            slot,
            hasher: DefaultHashBuilder::default(),
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            budget_bytes,
            bytes: AtomicUsize::new(0),
            full: AtomicBool::new(false),
        })
    }

    /// Whether the slot does not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// The shards one by one, for whoever goes through all rows.
    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The streams of a shard for which something holds.
    pub(super) fn streams(
        &self,
        shard: usize,
        which: impl Fn(&Own<P>) -> bool,
    ) -> Vec<(StreamName, u64, u64)> {
        let shard = self.shard(shard);
        let chosen = shard.rows.iter().filter(|own| which(own));
        chosen.map(|own| (own.stream.clone(), own.version, own.seen)).collect()
    }

    /// Takes the rows of a shard out.
    pub(super) fn take(&self, shard: usize) -> Vec<Own<P>> {
        self.shard(shard).rows.drain().collect()
    }

    fn shard(&self, shard: usize) -> MutexGuard<'_, Shard<P>> {
        let shard =
            self.shards.get(shard % SHARDS).expect("the remainder is smaller than the number of shards");
        // Code of the projection that panics under this lock is caught there, so what it holds is whole.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Weighs what a new row adds. The whole is an estimate: rows grow after they were weighed.
    fn weigh(&self, rows: &HashTable<Own<P>>, weight: &mut usize) {
        if rows.len().is_multiple_of(WEIGH_EVERY)
            && let Some(own) = rows.iter().next()
            && let Some(fields) = &own.fields
        {
            let json = guarded(|| Ok(serde_json::to_vec(fields).map_or(0, |json| json.len())));
            *weight = (*weight).max(json.unwrap_or_default());
        }
        let row = size_of::<Own<P>>() * 5 / 4 + NAME_BYTES + *weight;
        if self.bytes.fetch_add(row, Ordering::Relaxed) + row > self.budget_bytes {
            self.full.store(true, Ordering::Relaxed);
        }
    }
}

impl<P: Projection> Fold for OwnFold<P> {
    fn see(&self, event: &HistoryEvent<'_>, scratch: &mut Scratch) -> ControlFlow<()> {
        if event.category != self.source.category() || !self.slot.holds(event.id) {
            return ControlFlow::Continue(());
        }
        let hash = self.hasher.hash_one(event.id);
        let mut shard = self.shard(usize::try_from(hash >> 48).unwrap_or_default());
        let shard = &mut *shard;
        let version = event.version.0;
        let rehash = |own: &Own<P>| self.hasher.hash_one(own.stream.id());
        let own = match shard.rows.entry(hash, |own| own.stream.id() == event.id, rehash) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let Ok(stream) = StreamName::new(event.category, event.id) else {
                    // No store ever took such a name, so no row can have it either.
                    return ControlFlow::Continue(());
                };
                let rows = place.into_table();
                self.weigh(rows, &mut shard.weight);
                if self.is_full() {
                    return ControlFlow::Break(());
                }
                let own = Own { stream, version: 0, seen: 0, fields: None, trouble: Trouble::None };
                rows.insert_unique(hash, own, rehash).into_mut()
            }
        };
        own.seen = own.seen.max(version);
        if version != own.version + 1 || own.trouble != Trouble::None {
            return ControlFlow::Continue(());
        }
        let stored = match scratch.stored(event, &own.stream) {
            Ok(stored) => stored,
            Err(cause) => {
                own.trouble = Trouble::Parked(cause);
                return ControlFlow::Continue(());
            }
        };
        let fields = &mut own.fields;
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.source.apply_to_own(stored, fields)
        })) {
            Ok(Ok(())) => own.version = version,
            Ok(Err(cause)) => own.trouble = Trouble::Parked(cause),
            // The step tells which event it was, on rows that are whole.
            Err(_) => own.trouble = Trouble::Broken,
        }
        ControlFlow::Continue(())
    }
}
