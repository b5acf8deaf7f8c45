//! A lane: the driver of the step for one projection, with memory of its own.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use headwater::store::Read;
use headwater::{Commit, EventStore, StreamName, Version};
use tokio::sync::Mutex;

use super::backoff::Backoff;
use super::error::LaneError;
use super::fill::fill;
use super::limits::{FILL_COMMITS, MEMORY_ENTRIES, WRITES_IN_FLIGHT};
use super::pace::Tally;
use super::waits::Waits;
use crate::rows::{Generation, RowError, Wanted, Written};
use crate::{Batch, Definition, Memory, Parked, Projection, RowStore, Step, Transaction, Writes, step};

/// A lane, its projection forgotten.
#[async_trait]
pub(crate) trait Lane: Send {
    /// Brings commits into the rows. On an error nothing is known about them; trying again is safe.
    async fn carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError>;
    /// Forgets what it knows: somebody else may have been at work meanwhile.
    fn forget(&mut self);
    /// Tries a parked stream again, from its failing version on, out of the ledger. The events up to and with
    /// `discard` are passed over.
    async fn mend(&mut self, stream: &StreamName, discard: Option<Version>) -> Result<Mended, LaneError>;
}

/// A projection in a runner, its type forgotten.
pub(crate) trait Handler: Send + Sync + fmt::Debug {
    fn name(&self) -> &'static str;
    /// The generation it keeps.
    fn generation(&self) -> &Generation;
    /// The lane for a partition.
    fn lane(&self) -> Arc<Mutex<dyn Lane>>;
    /// A lane of its own, for one stream.
    fn own_lane(&self) -> Box<dyn Lane>;
    /// The row store, and the indexes the projection asks of it.
    fn rows(&self) -> (&Arc<dyn RowStore>, &'static [&'static str]);
    /// What it has applied in this process.
    fn tally(&self) -> &Tally;
    /// Whether it reads the feed apart from the others, because it may take long over what it does.
    fn apart(&self) -> bool {
        false
    }
}

/// What the lanes of a projection work with.
#[derive(Debug)]
pub(super) struct Typed<P> {
    pub(super) definition: Definition<P>,
    pub(super) generation: Generation,
    pub(super) rows: Arc<dyn RowStore>,
    pub(super) ledger: Arc<dyn EventStore>,
    pub(super) waits: Arc<Waits>,
    pub(super) tally: Tally,
}

/// Rows fed by one stream: partitions have nothing in common, so each has a lane of its own.
#[derive(Debug)]
pub(super) struct OneStream<P>(pub(super) Arc<Typed<P>>);

/// Rows fed by many streams: all partitions share a lane, or they would keep taking the rows from each other.
pub(super) struct Shared<P> {
    lane: Arc<Mutex<TypedLane<P>>>,
    typed: Arc<Typed<P>>,
}

impl<P: Projection> Handler for OneStream<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn generation(&self) -> &Generation {
        &self.0.generation
    }
    fn lane(&self) -> Arc<Mutex<dyn Lane>> {
        Arc::new(Mutex::new(TypedLane::new(Arc::clone(&self.0))))
    }
    fn own_lane(&self) -> Box<dyn Lane> {
        Box::new(TypedLane::new(Arc::clone(&self.0)))
    }
    fn rows(&self) -> (&Arc<dyn RowStore>, &'static [&'static str]) {
        (&self.0.rows, P::INDEXES)
    }
    fn tally(&self) -> &Tally {
        &self.0.tally
    }
}

impl<P: Projection> Shared<P> {
    pub(super) fn new(typed: Arc<Typed<P>>) -> Self {
        Self { lane: Arc::new(Mutex::new(TypedLane::new(Arc::clone(&typed)))), typed }
    }
}

impl<P: Projection> Handler for Shared<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn generation(&self) -> &Generation {
        &self.typed.generation
    }
    fn lane(&self) -> Arc<Mutex<dyn Lane>> {
        Arc::clone(&self.lane) as Arc<Mutex<dyn Lane>>
    }
    fn own_lane(&self) -> Box<dyn Lane> {
        Box::new(TypedLane::new(Arc::clone(&self.typed)))
    }
    fn rows(&self) -> (&Arc<dyn RowStore>, &'static [&'static str]) {
        (&self.typed.rows, P::INDEXES)
    }
    fn tally(&self) -> &Tally {
        &self.typed.tally
    }
}

impl<P: Projection> fmt::Debug for Shared<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("projection", &P::NAME).finish_non_exhaustive()
    }
}

struct TypedLane<P> {
    typed: Arc<Typed<P>>,
    memory: Memory<P>,
    /// Whether memory may be ahead of the rows: from the moment it is stepped on until everything is written. A lane
    /// that partitions share outlives a reader that is ended in between.
    in_doubt: bool,
    /// The record of the stream that is being tried again.
    mending: Option<Parked>,
}

#[async_trait]
impl<P: Projection> Lane for TypedLane<P> {
    async fn carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError> {
        if std::mem::replace(&mut self.in_doubt, true) {
            self.memory.clear();
        }
        // What is parked may have been taken out by others, and only the store knows.
        for commit in commits {
            if self.memory.is_parked(&commit.stream) {
                self.memory.forget(&commit.stream);
            }
        }
        self.try_carry(Batch::from(commits.to_vec())).await?;
        self.in_doubt = false;
        Ok(())
    }

    fn forget(&mut self) {
        self.memory.clear();
    }

    async fn mend(&mut self, stream: &StreamName, discard: Option<Version>) -> Result<Mended, LaneError> {
        self.memory.clear();
        self.mending = None;
        let wanted = Wanted { rows: self.row_of(stream), streams: [stream.clone()].into() };
        let loaded = self.typed.rows.load(&self.typed.generation, &wanted).await?;
        let Some(record) = loaded.parked.iter().find(|record| record.stream == *stream).cloned() else {
            return Ok(Mended::NotParked);
        };
        self.memory.learn(&wanted, loaded);
        self.memory.release(stream);
        self.mending = Some(record.clone());
        // The second time for what came while the record was still there, which others only counted.
        for before_the_record_goes in [true, false] {
            loop {
                let after = self.memory.version(stream).unwrap_or_default();
                let read = Read::after(after).limit(FILL_COMMITS);
                let page = self.typed.ledger.read(stream, read).await?;
                if page.commits.is_empty() {
                    break;
                }
                let mut batch = Batch::from(page.commits);
                batch.discarded.extend(discard.map(|until| (stream.clone(), until)));
                self.try_carry(batch).await?;
                if self.memory.is_parked(stream) {
                    return Ok(Mended::Parked);
                }
                if self.memory.version(stream).is_none_or(|version| version <= after) {
                    break;
                }
            }
            if before_the_record_goes {
                // Lost means that somebody else took it out, or that the stream failed again further on.
                let _ = self.typed.rows.unpark(&self.typed.generation, stream, record.first_failing).await?;
            }
        }
        Ok(Mended::Applied)
    }
}

/// What became of a parked stream that was tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mended {
    /// Everything that waited is applied; the stream is not parked any more.
    Applied,
    /// It failed again, at the same version or further on, and is parked there.
    Parked,
    /// It was not parked.
    NotParked,
}

impl<P: Projection> TypedLane<P> {
    fn new(typed: Arc<Typed<P>>) -> Self {
        Self { typed, memory: Memory::new(), in_doubt: false, mending: None }
    }

    /// The key of the row that the stream feeds alone.
    fn row_of(&self, stream: &StreamName) -> BTreeSet<String> {
        if P::SHARED { BTreeSet::new() } else { [stream.id().to_owned()].into() }
    }

    async fn try_carry(&mut self, batch: Batch) -> Result<(), LaneError> {
        let Batch { commits: mut rest, discarded, .. } = batch;
        let (mut losses, mut one_by_one, mut unfit) = (Backoff::default(), false, HashMap::new());
        while !rest.is_empty() {
            let mut batch = Batch::from(std::mem::take(&mut rest));
            batch.discarded.clone_from(&discarded);
            batch.unfit.clone_from(&unfit);
            batch.one_by_one = one_by_one;
            let writes = self.decide(&mut batch, &mut rest).await?;
            match self.write(writes, &batch).await? {
                Wrote::All => {}
                Wrote::Lost => {
                    // Another owner was first. Everything known is in doubt: load and decide again. One of the two always
                    // gets on, so this ends.
                    tracing::debug!(projection = P::NAME, "a write was lost to another owner");
                    losses.pause().await;
                    self.again(batch, &mut rest);
                }
                // First each event is tried on its own; then the one that does not fit even so is to blame. Every round
                // parks one stream more, so this ends.
                Wrote::Unfit(transaction, reason) => {
                    if std::mem::replace(&mut one_by_one, true) {
                        let (stream, version) = self
                            .event_of(&transaction, &batch)
                            .ok_or(LaneError::Rows(RowError::Invalid { reason: reason.clone() }))?;
                        unfit.insert(stream, (version, reason));
                    }
                    self.again(batch, &mut rest);
                }
            }
            self.memory.trim(MEMORY_ENTRIES);
        }
        Ok(())
    }

    /// Puts everything back: it is loaded and decided again.
    fn again(&mut self, mut batch: Batch, rest: &mut Vec<Arc<Commit>>) {
        self.memory.clear();
        batch.commits.append(rest);
        *rest = batch.commits;
    }

    /// Asks the step until it has what it needs. What does not fit into the batch any more is put before `rest`.
    async fn decide(&mut self, batch: &mut Batch, rest: &mut Vec<Arc<Commit>>) -> Result<Writes, LaneError> {
        loop {
            match step(&self.typed.definition, &mut self.memory, batch) {
                Step::Writes(writes) => return Ok(writes),
                Step::Needs(wanted, gaps) => {
                    if !wanted.is_empty() {
                        let loaded = self.typed.rows.load(&self.typed.generation, &wanted).await?;
                        self.memory.learn(&wanted, loaded);
                        if let Some(record) = &self.mending {
                            self.memory.release(&record.stream);
                        }
                    }
                    let mut cut = fill(self.typed.ledger.as_ref(), batch, gaps).await?;
                    cut.append(rest);
                    *rest = cut;
                }
            }
        }
    }

    /// The event of a transaction that has one alone.
    fn event_of(&self, transaction: &Transaction, batch: &Batch) -> Option<(StreamName, Version)> {
        if let Some(version) = transaction.versions.first() {
            return Some((version.stream.clone(), version.version));
        }
        let row = transaction.rows.first()?;
        let feeds = |stream: &StreamName| {
            stream.id() == row.key && self.typed.definition.source(stream.category()).is_some()
        };
        let commit = batch.commits.iter().find(|commit| feeds(&commit.stream))?;
        Some((commit.stream.clone(), Version(row.revision.0)))
    }

    async fn write(&self, writes: Writes, batch: &Batch) -> Result<Wrote, LaneError> {
        let Writes { transactions, mut parked, applied, .. } = writes;
        // Transactions of shared rows build on each other, and so do those of single events; rows fed by one stream are
        // independent.
        let at_once = if P::SHARED || batch.one_by_one { 1 } else { WRITES_IN_FLIGHT };
        let mut writing = futures::stream::iter(transactions)
            .map(|transaction| write_one(Arc::clone(&self.typed), transaction))
            .buffered(at_once);
        while let Some(written) = writing.next().await {
            match written {
                (_, Ok(Written::Done)) => {}
                (_, Ok(Written::Lost)) => return Ok(Wrote::Lost),
                (transaction, Err(RowError::Unfit { reason })) => {
                    return Ok(Wrote::Unfit(transaction, reason));
                }
                (_, Err(error)) => return Err(error.into()),
            }
        }
        for parked in &mut parked {
            let again = |before: &&Parked| {
                before.stream == parked.stream && before.first_failing == parked.first_failing
            };
            parked.attempts += self.mending.as_ref().filter(again).map_or(0, |before| before.attempts);
            tracing::error!(
                projection = P::NAME,
                stream = %parked.stream,
                first_failing = parked.first_failing.0,
                highest = parked.highest.0,
                cause = ?parked.cause.kind,
                "the stream is parked: correct the projection or its events"
            );
            self.typed.rows.park(&self.typed.generation, parked).await?;
        }
        // Every stream of the batch, not only those that moved on: an earlier try may have written and lost the answer.
        let streams: BTreeSet<_> = batch.commits.iter().map(|commit| &commit.stream).collect();
        let reached = |stream: &StreamName| Some((stream.clone(), self.memory.version(stream)?));
        let reached: Vec<_> = streams.into_iter().filter_map(reached).collect();
        self.typed.waits.wake(&reached, &parked);
        self.typed.tally.add(applied);
        Ok(Wrote::All)
    }
}

/// What became of the writes of a batch.
enum Wrote {
    All,
    /// A condition did not hold.
    Lost,
    /// The row store cannot hold this, and why.
    Unfit(Transaction, String),
}

async fn write_one<P: Projection>(
    typed: Arc<Typed<P>>,
    transaction: Transaction,
) -> (Transaction, Result<Written, RowError>) {
    let written = typed.rows.write(&typed.generation, &transaction).await;
    (transaction, written)
}
