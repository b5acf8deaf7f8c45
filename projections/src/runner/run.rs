//! The runner itself: starts a task for each partition, parents before children, and stops them in good order.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use headwater::store::{Partition, PartitionId};
use headwater::{EventFeed, EventStore};
use tokio::task::{JoinError, JoinSet};

use super::backoff::Stop;
use super::lane::{Handler, OneStream, Shared, Typed};
use super::limits::PARTITIONS_EVERY;
use super::partition::Reader;
use super::{RunError, Waits};
use crate::read_models::Model;
use crate::{Definition, DefinitionError, Projection, ReadModels, RowStore};

/// Keeps the rows of a group of projections up to date, in one process.
///
/// Each partition of the feed is read once for all projections. Positions are kept in memory: a new runner reads the
/// feed from its oldest record and drops what the rows have applied already. The rows of a projection are those of
/// the generation numbered like its version, so a raised version builds its rows anew.
///
/// # Delivery
/// Each event of each stream is applied to each row once, in version order (L5), also when two runners work on the
/// same rows.
pub struct Runner {
    ledger: Arc<dyn EventStore>,
    feed: Arc<dyn EventFeed>,
    rows: Arc<dyn RowStore>,
    handlers: Vec<Arc<dyn Handler>>,
    models: BTreeMap<&'static str, Model>,
}

impl Runner {
    /// A runner without projections.
    #[must_use]
    pub fn new(ledger: Arc<dyn EventStore>, feed: Arc<dyn EventFeed>, rows: Arc<dyn RowStore>) -> Self {
        Self { ledger, feed, rows, handlers: Vec::new(), models: BTreeMap::new() }
    }

    /// Adds a projection.
    ///
    /// # Errors
    /// [`DefinitionError`] when its definition breaks a rule or its name is taken.
    pub fn projection<P: Projection>(mut self) -> Result<Self, DefinitionError> {
        let definition = Definition::<P>::new()?;
        if self.models.contains_key(P::NAME) {
            return Err(DefinitionError::NameTwice { name: P::NAME });
        }
        let waits = Arc::new(Waits::default());
        self.models.insert(P::NAME, Model::of(&definition, Arc::clone(&waits)));
        let typed = Arc::new(Typed {
            generation: definition.generation(),
            definition,
            rows: Arc::clone(&self.rows),
            ledger: Arc::clone(&self.ledger),
            waits,
        });
        self.handlers.push(if P::SHARED { Arc::new(Shared::new(typed)) } else { Arc::new(OneStream(typed)) });
        Ok(self)
    }

    /// The rows of the projections added so far, for queries and for waiting on versions.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        ReadModels::new(Arc::clone(&self.rows), self.models.clone())
    }

    /// Runs until `shutdown` is ready; the batches under way are finished first.
    ///
    /// # Errors
    /// [`RunError`] when it cannot go on. Stores that cannot be reached are tried again and are no error.
    ///
    /// # Cancel safety
    /// Dropping the future ends all tasks at once; rows stay whole, because each write of a row is.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let mut shutdown = pin!(shutdown);
        let (stop_now, stop) = Stop::new();
        let mut readers = Readers::new(self, stop);
        let mut outcome = Ok(());
        loop {
            readers.start_new().await;
            tokio::select! {
                () = &mut shutdown => break,
                Some(done) = readers.tasks.join_next() => {
                    outcome = readers.done(done);
                    if outcome.is_err() {
                        break;
                    }
                }
                () = tokio::time::sleep(PARTITIONS_EVERY) => {}
            }
        }
        stop_now.send_replace(true);
        while let Some(done) = readers.tasks.join_next().await {
            outcome = outcome.and(readers.done(done));
        }
        outcome
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projections: Vec<_> = self.handlers.iter().map(|handler| handler.name()).collect();
        f.debug_struct("Runner").field("projections", &projections).finish_non_exhaustive()
    }
}

/// The tasks of a running runner.
struct Readers {
    runner: Runner,
    stop: Stop,
    tasks: JoinSet<Result<Option<PartitionId>, RunError>>,
    started: HashSet<PartitionId>,
    ended: HashSet<PartitionId>,
}

impl Readers {
    fn new(runner: Runner, stop: Stop) -> Self {
        Self { runner, stop, tasks: JoinSet::new(), started: HashSet::new(), ended: HashSet::new() }
    }

    /// Starts the partitions that are new and whose parents were read to their end.
    async fn start_new(&mut self) {
        let partitions = match self.runner.feed.partitions().await {
            Ok(partitions) => partitions,
            Err(error) => {
                tracing::warn!(error = %error, "the partitions of the feed cannot be listed, trying again");
                return;
            }
        };
        let listed: HashSet<_> = partitions.iter().map(|partition| partition.id.clone()).collect();
        self.started.retain(|id| listed.contains(id));
        self.ended.retain(|id| listed.contains(id));
        let waits =
            |p: &Partition| p.parents.iter().any(|id| listed.contains(id) && !self.ended.contains(id));
        let (_, ready): (Vec<_>, Vec<_>) = partitions.into_iter().partition(waits);
        for partition in ready {
            if self.started.insert(partition.id.clone()) {
                let lanes = self.runner.handlers.iter().map(|handler| (handler.name(), handler.lane()));
                let reader = Reader {
                    feed: Arc::clone(&self.runner.feed),
                    partition: partition.id,
                    lanes: lanes.collect(),
                    stop: self.stop.clone(),
                };
                self.tasks.spawn(reader.read());
            }
        }
    }

    fn done(
        &mut self,
        done: Result<Result<Option<PartitionId>, RunError>, JoinError>,
    ) -> Result<(), RunError> {
        let ended = done.map_err(|source| RunError::Panicked { source })??;
        self.ended.extend(ended);
        Ok(())
    }
}
