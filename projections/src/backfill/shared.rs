//! Folding rows that are fed by many streams: each stream up to a version that is settled once, so that all slots, all
//! processes and every try of them give the same rows (the *cut*).
//!
//! An event changes copies of its rows, and all of them or none. Streams and rows are in shards, each behind a lock of its
//! own; a thread takes the lock of the stream first and then those of the rows in the order of their shards.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::mem::size_of;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use headwater::{StreamName, Version};

use super::lanes::{Fold, Scratch};
use super::{HistoryEvent, Slot};
use crate::fold::{check_rows, guarded, row_json};
use crate::source::Stored;
use crate::{Cause, CauseKind, Definition, Parked, Projection};

const SHARDS: usize = 64;
/// Bytes of a key or a name and of what the allocator and the table add.
const ENTRY_BYTES: usize = 96;

/// Up to which version each stream counts; one that is not named does not count at all.
pub(super) type Cut = HashMap<StreamName, u64>;

/// How far streams are folded.
#[derive(Debug, Clone)]
pub(super) enum Until {
    /// As far as there are events; what was reached becomes the cut.
    Head,
    /// To the cut.
    Cut(Arc<Cut>),
}

/// What the events are folded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// To know the streams, how far they go, and what cannot be decoded.
    Census,
    /// The rows of a slot.
    Rows {
        /// Whether rows are weighed after each event, to find the one that makes a row too large.
        careful: bool,
    },
}

/// The rows of a slot, and all streams.
pub(super) struct SharedFold<P> {
    definition: Definition<P>,
    slot: Slot,
    until: Until,
    depth: Depth,
    hasher: DefaultHashBuilder,
    streams: Vec<Mutex<HashTable<Stream>>>,
    rows: Vec<Mutex<HashMap<String, Row<P>>>>,
    budget_bytes: usize,
    bytes: AtomicUsize,
    full: AtomicBool,
}

/// A stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) name: StreamName,
    /// The version applied.
    pub(super) version: u64,
    /// The highest version that was seen.
    pub(super) seen: u64,
    /// Where it counts up to.
    cut: u64,
    /// Why the next event cannot be applied.
    pub(super) trouble: Option<Cause>,
}

#[derive(Debug)]
struct Row<P> {
    fields: Option<P>,
    /// Events that changed it.
    revision: u64,
}

/// What is to be written of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) key: String,
    pub(super) fields: Option<Bytes>,
}

impl Stream {
    /// Whether versions are missing.
    pub(super) fn has_gap(&self) -> bool {
        self.trouble.is_none() && self.seen.min(self.cut) > self.version
    }

    /// Whether it cannot be folded as far as it counts.
    pub(super) fn is_short(&self) -> bool {
        self.trouble.is_some() && self.cut > self.version
    }

    /// The record of the stream, if it is parked.
    pub(super) fn parked(&self) -> Option<Parked> {
        Some(Parked {
            stream: self.name.clone(),
            first_failing: Version(self.version + 1),
            highest: Version(self.seen),
            cause: self.trouble.clone()?,
            attempts: 1,
        })
    }
}

impl<P: Projection> SharedFold<P> {
    pub(super) fn new(
        definition: &Definition<P>,
        slot: Slot,
        until: Until,
        depth: Depth,
        budget_bytes: usize,
    ) -> Self {
        Self {
            definition: definition.clone(),
            slot,
            until,
            depth,
            hasher: DefaultHashBuilder::default(),
            streams: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            rows: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            budget_bytes,
            bytes: AtomicUsize::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// Whether the slot does not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// The streams for which something holds.
    pub(super) fn streams(&self, which: impl Fn(&Stream) -> bool) -> Vec<Stream> {
        let mut chosen = Vec::new();
        for shard in &self.streams {
            chosen.extend(locked(shard).iter().filter(|stream| which(stream)).cloned());
        }
        chosen
    }

    /// The rows as they are to be written, or the key of one that cannot be.
    pub(super) fn folded(&self) -> Result<Vec<Folded>, String> {
        let mut all = Vec::new();
        for shard in &self.rows {
            for (key, row) in locked(shard).iter() {
                let fields = row.fields.as_ref().map(|fields| guarded(|| row_json(key, fields)));
                let fields = fields.transpose().map_err(|_| key.clone())?;
                all.push(Folded { key: key.clone(), fields });
            }
        }
        Ok(all)
    }

    fn weigh(&self, bytes: usize) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.budget_bytes {
            self.full.store(true, Ordering::Relaxed);
        }
    }

    /// Decodes an event and applies it to its rows in the slot.
    fn apply(&self, stored: Stored<'_>) -> Result<(), Cause> {
        let Some(source) = self.definition.source(stored.stream.category()) else { return Ok(()) };
        let changes = source.decode(stored).map_err(|error| Cause::of(CauseKind::Undecodable, &error))?;
        let keys = changes.keys().into_iter().map(|keys| keys.resolve(P::NAME, P::SHARED, stored.stream));
        let keys = keys.collect::<Result<Vec<_>, Cause>>()?;
        let mut touched: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
        touched.sort_unstable();
        touched.dedup();
        check_rows(touched.len())?;
        let Depth::Rows { careful } = self.depth else { return Ok(()) };
        touched.retain(|key| self.slot.holds(key));
        let mut shards: BTreeMap<usize, MutexGuard<'_, HashMap<String, Row<P>>>> = BTreeMap::new();
        let places: std::collections::BTreeSet<_> = touched.iter().map(|key| self.place(key)).collect();
        for place in places {
            if let Some(shard) = self.rows.get(place) {
                shards.insert(place, locked(shard));
            }
        }
        let mut changed: BTreeMap<&str, Option<P>> = BTreeMap::new();
        for (index, keys) in keys.iter().enumerate() {
            for key in keys.iter().filter(|key| self.slot.holds(key)) {
                let before = changed.remove(key.as_str()).unwrap_or_else(|| {
                    shards.get(&self.place(key)).and_then(|rows| rows.get(key)?.fields.clone())
                });
                let mut row = before.unwrap_or_default();
                let stays = changes.apply(index, &mut row);
                changed.insert(key, stays.then_some(row));
            }
        }
        if careful {
            for (key, fields) in &changed {
                fields.as_ref().map(|fields| row_json(key, fields)).transpose()?;
            }
        }
        for (key, fields) in changed {
            let Some(rows) = shards.get_mut(&self.place(key)) else { continue };
            if let Some(row) = rows.get_mut(key) {
                (row.fields, row.revision) = (fields, row.revision + 1);
            } else {
                self.weigh(size_of::<Row<P>>() + 2 * key.len() + ENTRY_BYTES);
                rows.insert(key.to_owned(), Row { fields, revision: 1 });
            }
        }
        Ok(())
    }

    fn place(&self, key: &str) -> usize {
        usize::try_from(self.hasher.hash_one(key) >> 48).unwrap_or_default() % SHARDS
    }
}

impl<P: Projection> Fold for SharedFold<P> {
    fn see(&self, event: &HistoryEvent<'_>, scratch: &mut Scratch) -> ControlFlow<()> {
        if self.definition.source(event.category).is_none() {
            return ControlFlow::Continue(());
        }
        let hash = self.hasher.hash_one((event.category, event.id));
        let place = usize::try_from(hash >> 48).unwrap_or_default() % SHARDS;
        let Some(shard) = self.streams.get(place) else { return ControlFlow::Break(()) };
        let mut shard = locked(shard);
        let rehash = |stream: &Stream| self.hasher.hash_one((stream.name.category(), stream.name.id()));
        let same = |stream: &Stream| stream.name.id() == event.id && stream.name.category() == event.category;
        let stream = match shard.entry(hash, same, rehash) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let Ok(name) = StreamName::new(event.category, event.id) else {
                    return ControlFlow::Continue(());
                };
                self.weigh(size_of::<Stream>() * 5 / 4 + ENTRY_BYTES);
                let cut = match &self.until {
                    Until::Head => u64::MAX,
                    Until::Cut(cut) => cut.get(&name).copied().unwrap_or_default(),
                };
                place.insert(Stream { name, version: 0, seen: 0, cut, trouble: None }).into_mut()
            }
        };
        if self.is_full() {
            return ControlFlow::Break(());
        }
        let version = event.version.0;
        stream.seen = stream.seen.max(version);
        if version != stream.version + 1 || version > stream.cut || stream.trouble.is_some() {
            return ControlFlow::Continue(());
        }
        let stored = scratch.stored(event, &stream.name);
        let applied = stored.and_then(|stored| guarded(|| self.apply(stored)));
        match applied {
            Ok(()) => stream.version = version,
            Err(cause) => stream.trouble = Some(cause),
        }
        ControlFlow::Continue(())
    }
}

/// Code of the projection that panics under these locks changes copies only, so what they hold is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
