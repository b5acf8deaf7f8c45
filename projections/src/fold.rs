//! The second half of the step: a plan is applied to copies of the rows, and what changed becomes writes.
//!
//! Pure as the step is. One write per row, however many events; transactions of shared rows end where the next event
//! would not fit; an event whose code fails parks its stream and leaves no trace in the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use hashbrown::HashMap;
use headwater::{StreamName, Version};

use crate::memory::{Fields, Memory, Row, StreamState};
use crate::source::Changes;
use crate::step::{Item, Plan, Work};
use crate::{
    Cause, CauseKind, Expect, MAX_ROW_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS, Parked,
    Projection, Revision, RowWrite, Transaction, VersionWrite, Writes,
};

/// Runs code of the projection; a panic is a cause like any other.
pub(crate) fn guarded<T>(code: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    // Whatever the code was changing is dropped with the panic, so no broken invariant can be seen.
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| Err(Cause::panic(panic.as_ref())))
}

/// How often rows are written as JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    PerBatch,
    PerEvent,
    /// As `PerEvent`, and each event has a transaction of its own.
    OneByOne,
}

/// A row cannot be written as it came out of the batch.
#[derive(Debug)]
pub(crate) struct Unfit;

/// The plan being applied: what is in memory stays as it is, what changes is kept beside it.
pub(crate) struct Fold<'m, P> {
    memory: &'m Memory<P>,
    care: Care,
    /// The rows and streams of the transaction that is being put together, with what they were before.
    open: BTreeMap<String, Open<P>>,
    open_streams: BTreeMap<StreamName, Version>,
    /// The rows of transactions before it.
    rows: HashMap<String, Row<P>>,
    streams: HashMap<StreamName, StreamState>,
    parked: BTreeSet<StreamName>,
    transactions: Vec<Transaction>,
    applied: u64,
}

struct Open<P> {
    before: Option<Revision>,
    revision: Revision,
    fields: Fields<P>,
    json: Option<Bytes>,
}

/// A row after one event.
struct Changed<P> {
    key: String,
    fields: Fields<P>,
    json: Option<Bytes>,
}

impl<'m, P: Projection> Fold<'m, P> {
    pub(crate) fn run(memory: &'m Memory<P>, plan: &Plan<'_, P>, care: Care) -> Result<Folded<P>, Unfit> {
        let mut fold = Fold {
            memory,
            care,
            open: BTreeMap::new(),
            open_streams: BTreeMap::new(),
            rows: HashMap::new(),
            streams: HashMap::new(),
            parked: BTreeSet::new(),
            transactions: Vec::new(),
            applied: 0,
        };
        for item in &plan.items {
            fold.item(item)?;
        }
        fold.close()?;
        let Fold { rows, streams, parked, transactions, applied, .. } = fold;
        Ok(Folded { rows, streams, parked, transactions, applied })
    }

    fn item(&mut self, item: &Item<'_, P>) -> Result<(), Unfit> {
        let is_parked = self.stream(item.stream).parked.is_some();
        match &item.work {
            Work::Apply(changes, keys) if !is_parked => {
                match guarded(|| self.change(item.stream, changes.as_ref(), keys)) {
                    Ok(changed) => self.take(item, changed)?,
                    Err(cause) => self.park(item, &cause),
                }
            }
            Work::Fail(cause) => self.park(item, cause),
            Work::Apply(..) | Work::Behind => self.raise(item),
        }
        Ok(())
    }

    /// Applies one event to copies of its rows.
    fn change(
        &self,
        stream: &StreamName,
        changes: &dyn Changes<P>,
        keys: &[Vec<String>],
    ) -> Result<Vec<Changed<P>>, Cause> {
        let mut changed: BTreeMap<&str, Fields<P>> = BTreeMap::new();
        if !P::SHARED {
            changed.insert(stream.id(), self.readable(stream.id())?);
        }
        for (index, keys) in keys.iter().enumerate() {
            for key in keys {
                let before = match changed.remove(key.as_str()) {
                    Some(fields) => fields,
                    None => self.readable(key)?,
                };
                let mut row = if let Fields::Live(row) = before { row } else { P::default() };
                let stays = changes.apply(index, &mut row);
                changed.insert(key, if stays { Fields::Live(row) } else { Fields::Gone });
            }
        }
        check_rows(changed.len())?;
        let finish = |(key, fields): (&str, Fields<P>)| {
            let json = if self.care == Care::PerBatch { None } else { fields.json(key)? };
            Ok(Changed { key: key.to_owned(), fields, json })
        };
        let changed = changed.into_iter().map(finish).collect::<Result<Vec<_>, Cause>>()?;
        let bytes: usize = changed.iter().filter_map(|row| row.json.as_ref()).map(Bytes::len).sum();
        if bytes > MAX_TRANSACTION_BYTES {
            let message =
                format!("the rows of the event have {bytes} bytes: {MAX_TRANSACTION_BYTES} is the limit");
            return Err(Cause::new(CauseKind::TooLarge, message));
        }
        Ok(changed)
    }

    /// A copy of a row as it is now.
    fn readable(&self, key: &str) -> Result<Fields<P>, Cause> {
        let row = self.open.get(key).map(|open| &open.fields);
        let row = row.or_else(|| self.rows.get(key).map(|row| &row.fields));
        let row = row.or_else(|| self.memory.rows.get(key).map(|row| &row.fields));
        match row {
            Some(Fields::Unreadable(reason)) => {
                let (name, version) = (P::NAME, P::VERSION);
                let message = format!(
                    "row {key:?} does not fit projection {name}, version {version}: raise the version and build \
                     the rows anew: {reason}"
                );
                Err(Cause::new(CauseKind::Row, message))
            }
            Some(fields) => Ok(fields.clone()),
            None => Ok(Fields::Gone),
        }
    }

    /// Puts the rows of an event into the open transaction, or into a new one when it is full.
    fn take(&mut self, item: &Item<'_, P>, changed: Vec<Changed<P>>) -> Result<(), Unfit> {
        if self.care == Care::OneByOne {
            self.close()?;
        }
        if P::SHARED {
            if self.is_full_for(item.stream, &changed) {
                self.close()?;
            }
            let before = self.stream(item.stream).version;
            self.open_streams.entry(item.stream.clone()).or_insert(before);
        }
        for Changed { key, fields, json } in changed {
            let before = match (self.open.get(&key), self.rows.get(&key)) {
                (Some(open), _) => open.before,
                (None, Some(row)) => row.revision,
                (None, None) => self.memory.rows.get(&key).and_then(|row| row.revision),
            };
            let revision = if P::SHARED { before.map_or(1, |r| r.0 + 1) } else { item.version.0 };
            self.open.insert(key, Open { before, revision: Revision(revision), fields, json });
        }
        self.stream(item.stream).version = item.version;
        self.applied += 1;
        Ok(())
    }

    fn is_full_for(&self, stream: &StreamName, changed: &[Changed<P>]) -> bool {
        let new_rows = changed.iter().filter(|row| !self.open.contains_key(&row.key)).count();
        let new_stream = usize::from(!self.open_streams.contains_key(stream));
        let items = self.open.len() + self.open_streams.len() + new_rows + new_stream;
        let untouched = self.open.iter().filter(|(key, _)| changed.iter().all(|row| row.key != **key));
        let bytes = untouched.filter_map(|(_, open)| open.json.as_ref()).map(Bytes::len).sum::<usize>()
            + changed.iter().filter_map(|row| row.json.as_ref()).map(Bytes::len).sum::<usize>();
        items > MAX_TRANSACTION_ITEMS || bytes > MAX_TRANSACTION_BYTES
    }

    /// Ends the open transaction. Of rows fed by one stream, each becomes a transaction of its own.
    fn close(&mut self) -> Result<(), Unfit> {
        let mut transaction = Transaction::default();
        let mut bytes = 0;
        for (key, open) in std::mem::take(&mut self.open) {
            let fields = match open.json {
                Some(json) => Some(json),
                None => guarded(|| open.fields.json(&key)).map_err(|_| Unfit)?,
            };
            bytes += fields.as_ref().map_or(0, Bytes::len);
            let expect = open.before.map_or(Expect::Absent, Expect::Revision);
            transaction.rows.push(RowWrite { key: key.clone(), fields, revision: open.revision, expect });
            let row = Row { revision: Some(open.revision), fields: open.fields, used: 0 };
            self.rows.insert(key, row);
        }
        if !P::SHARED {
            let single = |row| Transaction { rows: vec![row], versions: Vec::new() };
            self.transactions.extend(transaction.rows.into_iter().map(single));
            return Ok(());
        }
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(Unfit);
        }
        for (stream, expect) in std::mem::take(&mut self.open_streams) {
            let version = self.stream(&stream).version;
            transaction.versions.push(VersionWrite { stream, version, expect });
        }
        if !transaction.versions.is_empty() {
            self.transactions.push(transaction);
        }
        Ok(())
    }

    fn park(&mut self, item: &Item<'_, P>, cause: &Cause) {
        let state = self.stream(item.stream);
        if state.parked.is_none() {
            state.parked = Some(Parked {
                stream: item.stream.clone(),
                first_failing: item.version,
                highest: item.version,
                cause: cause.clone(),
                attempts: 1,
            });
            self.parked.insert(item.stream.clone());
        }
        self.raise(item);
    }

    fn raise(&mut self, item: &Item<'_, P>) {
        if let Some(parked) = &mut self.stream(item.stream).parked
            && parked.highest < item.version
        {
            parked.highest = item.version;
            self.parked.insert(item.stream.clone());
        }
    }

    fn stream(&mut self, stream: &StreamName) -> &mut StreamState {
        let unknown = StreamState { version: Version::EMPTY, parked: None, used: 0 };
        let known = || self.memory.streams.get(stream).cloned().unwrap_or(unknown);
        self.streams.entry(stream.clone()).or_insert_with(known)
    }
}

impl<P: Projection> Fields<P> {
    /// The fields as JSON; nothing for a row that is gone.
    fn json(&self, key: &str) -> Result<Option<Bytes>, Cause> {
        let Self::Live(fields) = self else { return Ok(None) };
        row_json(key, fields).map(Some)
    }
}

/// The fields of a row as JSON, if they are not too large.
pub(crate) fn row_json<P: Projection>(key: &str, fields: &P) -> Result<Bytes, Cause> {
    let json = serde_json::to_vec(fields).map_err(|error| {
        Cause::new(CauseKind::Row, format!("row {key:?} cannot be written as JSON: {error}"))
    })?;
    if json.len() > MAX_ROW_BYTES {
        let message = format!(
            "row {key:?} has {} bytes and {MAX_ROW_BYTES} is the limit: keep less in one row",
            json.len()
        );
        return Err(Cause::new(CauseKind::TooLarge, message));
    }
    Ok(json.into())
}

/// Refuses an event that belongs to more rows than are written together.
pub(crate) fn check_rows(rows: usize) -> Result<(), Cause> {
    if rows < MAX_TRANSACTION_ITEMS {
        return Ok(());
    }
    let limit = MAX_TRANSACTION_ITEMS - 1;
    let message = format!("the event belongs to {rows} rows, and {limit} is the limit: choose fewer keys");
    Err(Cause::new(CauseKind::TooLarge, message))
}

/// A plan that was applied.
pub(crate) struct Folded<P> {
    rows: HashMap<String, Row<P>>,
    streams: HashMap<StreamName, StreamState>,
    parked: BTreeSet<StreamName>,
    transactions: Vec<Transaction>,
    applied: u64,
}

impl<P: Projection> Folded<P> {
    pub(crate) fn remember(self, memory: &mut Memory<P>, duplicates: u64) -> Writes {
        let Self { rows, streams, parked, transactions, applied } = self;
        let mut advanced = Vec::new();
        memory.tick += 1;
        for (stream, state) in streams {
            if memory.version(&stream) != Some(state.version) {
                advanced.push((stream.clone(), state.version));
            }
            memory.streams.insert(stream, StreamState { used: memory.tick, ..state });
        }
        for (key, row) in rows {
            memory.rows.insert(key, Row { used: memory.tick, ..row });
        }
        advanced.sort_unstable();
        let parked = parked.iter().filter_map(|stream| memory.streams.get(stream)?.parked.clone()).collect();
        Writes { transactions, parked, advanced, applied, duplicates }
    }
}
