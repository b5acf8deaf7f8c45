//! The runner itself: what it is made of, and running it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headwater::{EventFeed, EventStore};
use tokio::task::JoinSet;

use super::backoff::Backoff;
use super::group;
use super::lane::{Handler, OneStream, Shared, Typed};
use super::mender::Mender;
use super::rounds::Rounds;
use super::views::Views;
use super::{Control, RunError, Waits};
use crate::group::{LeaseStore, MemoryLeases};
use crate::read_models::Model;
use crate::{Definition, DefinitionError, Projection, ReadModels, RowStore};

/// The name of the group of a runner that was not given one.
pub const GROUP: &str = "views";

/// Keeps the rows of a group of projections up to date, in this process and in all others that run the same group on
/// the same [`LeaseStore`].
///
/// Each partition of the feed is read by one process, once for all projections. Without a lease store of its own a
/// runner is a group of one, and a new runner reads the feed from its oldest record and drops what the rows have
/// applied already. The rows of a projection are those of the generation numbered like its version, so a raised version
/// builds its rows anew, from the oldest record of the feed and what the ledger has before it; the other projections do
/// not wait for it.
///
/// # Delivery
/// Each event of each stream is applied to each row once, in version order (L5), also when two runners work on the
/// same rows.
pub struct Runner {
    ledger: Arc<dyn EventStore>,
    feed: Arc<dyn EventFeed>,
    rows: Arc<dyn RowStore>,
    group: Arc<str>,
    leases: Arc<dyn LeaseStore>,
    handlers: Vec<Arc<dyn Handler>>,
    models: BTreeMap<&'static str, Model>,
    control: Control,
}

impl Runner {
    /// A runner without projections.
    #[must_use]
    pub fn new(ledger: Arc<dyn EventStore>, feed: Arc<dyn EventFeed>, rows: Arc<dyn RowStore>) -> Self {
        Self {
            ledger,
            feed,
            rows,
            group: GROUP.into(),
            leases: Arc::new(MemoryLeases::new()),
            handlers: Vec::new(),
            models: BTreeMap::new(),
            control: Control::default(),
        }
    }

    /// Names the group. All runners of a group should have the same projections; while a new one is rolled out, it
    /// stands still where an older process has the lease.
    ///
    /// # Errors
    /// [`DefinitionError::Group`] for a name that is not lower-case letters, digits and hyphens.
    pub fn group(mut self, name: &str) -> Result<Self, DefinitionError> {
        self.group = group::checked(name)?;
        Ok(self)
    }

    /// Keeps leases and checkpoints there, and shares the work with everybody else who does.
    #[must_use]
    pub fn leases(self, leases: Arc<dyn LeaseStore>) -> Self {
        Self { leases, ..self }
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
        let handler: Arc<dyn Handler> =
            if P::SHARED { Arc::new(Shared::new(typed)) } else { Arc::new(OneStream(typed)) };
        self.control.add(Arc::clone(&handler));
        self.handlers.push(handler);
        Ok(self)
    }

    /// The rows of the projections added so far, for queries and for waiting on versions.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        ReadModels::new(Arc::clone(&self.rows), self.models.clone())
    }

    /// The handle to see how the group is doing and to pause projections; take it before running.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs until `shutdown` is ready. The batches under way are finished first, and every lease is released, so that
    /// others go on within a second.
    ///
    /// # Errors
    /// [`RunError`] when it cannot go on. Stores that cannot be reached are tried again and are no error.
    ///
    /// # Cancel safety
    /// Dropping the future ends all tasks at once, as a kill of the process would: rows stay whole, because each write
    /// of a row is, and the leases have to expire.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let mut shutdown = pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            prepared = prepare(&self.handlers) => prepared?,
        }
        let mine = Arc::new(AtomicBool::new(false));
        let (handlers, control) = (self.handlers.clone(), self.control.clone());
        let mut mending = JoinSet::new();
        mending.spawn(Mender { handlers, control, mine: Arc::clone(&mine) }.run());
        let work =
            Views { feed: Arc::clone(&self.feed), handlers: self.handlers, control: self.control.clone() };
        let rounds = Rounds::new(self.feed, self.leases, self.group, Arc::new(work), self.control, mine);
        group::run(rounds, shutdown).await
    }
}

/// Makes the generations where they do not exist yet, however often it takes.
async fn prepare(handlers: &[Arc<dyn Handler>]) -> Result<(), RunError> {
    for handler in handlers {
        let (rows, indexes) = handler.rows();
        let mut backoff = Backoff::default();
        while let Err(source) = rows.prepare(handler.generation(), indexes).await {
            let projection = handler.name();
            if !source.retry_helps() {
                return Err(RunError::Generation { projection, source });
            }
            tracing::warn!(projection, error = %source, "the rows cannot be prepared, trying again");
            backoff.pause().await;
        }
    }
    Ok(())
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projections: Vec<_> = self.handlers.iter().map(|handler| handler.name()).collect();
        f.debug_struct("Runner")
            .field("group", &self.group)
            .field("projections", &projections)
            .finish_non_exhaustive()
    }
}
