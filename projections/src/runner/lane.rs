//! A lane: the driver of the step for one projection, with memory of its own.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use headwater::{Commit, EventStore, StreamName};
use tokio::sync::Mutex;

use super::backoff::Backoff;
use super::error::LaneError;
use super::fill::fill;
use super::limits::{MEMORY_ENTRIES, WRITES_IN_FLIGHT};
use super::waits::Waits;
use crate::rows::{Generation, Written};
use crate::{Batch, Definition, Memory, Projection, RowStore, Step, Transaction, Writes, step};

/// A lane, its projection forgotten.
#[async_trait]
pub(super) trait Lane: Send {
    /// Brings commits into the rows. On an error nothing is known about them; trying again is safe.
    async fn carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError>;
}

/// A projection in a runner, its type forgotten.
pub(super) trait Handler: Send + Sync + fmt::Debug {
    fn name(&self) -> &'static str;
    /// The lane for a partition.
    fn lane(&self) -> Arc<Mutex<dyn Lane>>;
}

/// What the lanes of a projection work with.
#[derive(Debug)]
pub(super) struct Typed<P> {
    pub(super) definition: Definition<P>,
    pub(super) generation: Generation,
    pub(super) rows: Arc<dyn RowStore>,
    pub(super) ledger: Arc<dyn EventStore>,
    pub(super) waits: Arc<Waits>,
}

/// Rows fed by one stream: partitions have nothing in common, so each has a lane of its own.
#[derive(Debug)]
pub(super) struct OneStream<P>(pub(super) Arc<Typed<P>>);

/// Rows fed by many streams: all partitions share a lane, or they would keep taking the rows from each other.
pub(super) struct Shared<P> {
    lane: Arc<Mutex<TypedLane<P>>>,
}

impl<P: Projection> Handler for OneStream<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn lane(&self) -> Arc<Mutex<dyn Lane>> {
        Arc::new(Mutex::new(TypedLane::new(Arc::clone(&self.0))))
    }
}

impl<P: Projection> Shared<P> {
    pub(super) fn new(typed: Arc<Typed<P>>) -> Self {
        Self { lane: Arc::new(Mutex::new(TypedLane::new(typed))) }
    }
}

impl<P: Projection> Handler for Shared<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn lane(&self) -> Arc<Mutex<dyn Lane>> {
        Arc::clone(&self.lane) as Arc<Mutex<dyn Lane>>
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
}

#[async_trait]
impl<P: Projection> Lane for TypedLane<P> {
    async fn carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError> {
        let carried = self.try_carry(commits).await;
        if carried.is_err() {
            self.memory.clear();
        }
        carried
    }
}

impl<P: Projection> TypedLane<P> {
    fn new(typed: Arc<Typed<P>>) -> Self {
        Self { typed, memory: Memory::new() }
    }

    async fn try_carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError> {
        let mut rest = commits.to_vec();
        let mut losses = Backoff::default();
        while !rest.is_empty() {
            let mut batch = Batch::from(std::mem::take(&mut rest));
            let writes = self.decide(&mut batch, &mut rest).await?;
            if self.write(writes, &batch).await? == Written::Lost {
                // Another owner was first. Everything known is in doubt: load and decide again. One of the two always
                // gets on, so this ends.
                self.memory.clear();
                tracing::debug!(projection = P::NAME, "a write was lost to another owner");
                losses.pause().await;
                batch.commits.append(&mut rest);
                rest = batch.commits;
            }
            self.memory.trim(MEMORY_ENTRIES);
        }
        Ok(())
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
                    }
                    let mut cut = fill(self.typed.ledger.as_ref(), batch, gaps).await?;
                    cut.append(rest);
                    *rest = cut;
                }
            }
        }
    }

    async fn write(&self, writes: Writes, batch: &Batch) -> Result<Written, LaneError> {
        let Writes { transactions, parked, .. } = writes;
        // Transactions of shared rows build on each other; rows fed by one stream are independent.
        let at_once = if P::SHARED { 1 } else { WRITES_IN_FLIGHT };
        let mut writing = futures::stream::iter(transactions)
            .map(|transaction| write_one(Arc::clone(&self.typed), transaction))
            .buffered(at_once);
        while let Some(written) = writing.next().await {
            if written? == Written::Lost {
                return Ok(Written::Lost);
            }
        }
        for parked in &parked {
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
        Ok(Written::Done)
    }
}

async fn write_one<P: Projection>(
    typed: Arc<Typed<P>>,
    transaction: Transaction,
) -> Result<Written, LaneError> {
    Ok(typed.rows.write(&typed.generation, &transaction).await?)
}
