//! The runner itself: what it is made of, and running it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headwater::{EventFeed, EventStore, Executor};
use tokio::task::JoinSet;

use super::backoff::Backoff;
use super::group;
use super::kind::{Kind, ViewKind};
use super::mender::Mender;
use super::rounds::Rounds;
use super::views::Views;
use super::{AllWaits, Control, RunError};
use crate::directory::{Directory, Place};
use crate::group::{LeaseStore, MemoryLeases, deploy};
use crate::reactor::{Reactor, ReactorKind};
use crate::read_models::Model;
use crate::{Definition, DefinitionError, Projection, ReadModels, RowStore};

/// The name of the group of a runner that was not given one.
pub const GROUP: &str = "views";

/// Keeps the rows of a group of projections up to date, in this process and in all others that run the same group on
/// the same [`LeaseStore`].
///
/// Each partition of the feed is read by one process, once for all projections. Without a lease store of its own a
/// runner is a group of one, and a new runner reads the feed from its oldest record and drops what the rows have
/// applied already.
///
/// Which generation of a projection is live stands beside the leases. The first deployment makes generation 1, live at
/// once. A runner keeps every generation that follows the feed and was made by code of the version it runs: the live
/// one, one that a backfill is about to promote, one that is kept to go back to. When the version is raised, the live
/// generation goes on answering; a runner of the new version does not touch it, and
/// [`ReadModels::generations`] says that a rebuild is needed. A change of generations is noticed with the next look at
/// the group, within [`ROUND`](crate::group::limits::ROUND) and one call of the lease store.
///
/// What the feed does not have is read from the ledger: for a generation that is new, and when the feed has lost a
/// checkpoint because its records are older than the retention. One worker does it for the whole group, in one pass
/// beside the live records, and goes on where it was after a restart.
///
/// # Delivery
/// Each event of each stream is applied to each row once, in version order (L5), also when two runners work on the
/// same rows.
pub struct Runner {
    ledger: Arc<dyn EventStore>,
    feed: Arc<dyn EventFeed>,
    rows: Arc<dyn RowStore>,
    /// Carries out what reactors command.
    executor: Executor,
    directory: Arc<Directory>,
    models: BTreeMap<&'static str, Model>,
    control: Control,
}

impl Runner {
    /// A runner without projections.
    #[must_use]
    pub fn new(ledger: Arc<dyn EventStore>, feed: Arc<dyn EventFeed>, rows: Arc<dyn RowStore>) -> Self {
        let place = Place { store: Arc::new(MemoryLeases::new()), group: GROUP.into() };
        let directory = Arc::new(Directory::new(place));
        let control = Control::new(Arc::clone(&directory));
        let executor = Executor::new(Arc::clone(&ledger));
        Self { ledger, feed, rows, executor, directory, models: BTreeMap::new(), control }
    }

    /// Names the group. All runners of a group should have the same projections; while a new one is rolled out, it
    /// stands still where an older process has the lease.
    ///
    /// # Errors
    /// [`DefinitionError::Group`] for a name that is not lower-case letters, digits and hyphens.
    pub fn group(self, name: &str) -> Result<Self, DefinitionError> {
        self.directory.look_at(Place { group: group::checked(name)?, ..self.directory.place() });
        Ok(self)
    }

    /// Keeps leases and checkpoints there, and shares the work with everybody else who does.
    #[must_use]
    pub fn leases(self, leases: Arc<dyn LeaseStore>) -> Self {
        self.directory.look_at(Place { store: leases, ..self.directory.place() });
        self
    }

    /// Adds a projection.
    ///
    /// # Errors
    /// [`DefinitionError`] when its definition breaks a rule or its name is taken.
    pub fn projection<P: Projection>(mut self) -> Result<Self, DefinitionError> {
        let definition = Definition::<P>::new()?;
        if self.control.kinds().iter().any(|kind| kind.name() == P::NAME) {
            return Err(DefinitionError::NameTwice { name: P::NAME });
        }
        let waits = Arc::new(AllWaits::default());
        self.models.insert(P::NAME, Model::of::<P>(Arc::clone(&waits)));
        let (rows, ledger) = (Arc::clone(&self.rows), Arc::clone(&self.ledger));
        self.control.add(Arc::new(ViewKind { definition, rows, ledger, waits }));
        Ok(self)
    }

    /// Adds a reactor, which acts on events instead of keeping rows.
    ///
    /// # Errors
    /// [`DefinitionError`] when its definition breaks a rule or its name is taken.
    pub fn reactor<R: Reactor>(self, reactor: R) -> Result<Self, DefinitionError> {
        if self.control.kinds().iter().any(|kind| kind.name() == R::NAME) {
            return Err(DefinitionError::NameTwice { name: R::NAME });
        }
        let (rows, ledger) = (Arc::clone(&self.rows), Arc::clone(&self.ledger));
        self.control.add(Arc::new(ReactorKind::new(reactor, rows, ledger, self.executor.clone())?));
        Ok(self)
    }

    /// The rows of the projections added so far, for queries and for waiting on versions.
    #[must_use]
    pub fn read_models(&self) -> ReadModels {
        ReadModels::new(Arc::clone(&self.rows), Arc::clone(&self.directory), self.models.clone())
    }

    /// The handle to see how the group is doing and to pause projections; take it before running.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The feed it reads, for others in this process: what both read is paced together.
    #[must_use]
    pub fn feed(&self) -> Arc<dyn EventFeed> {
        Arc::clone(&self.feed)
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
        let Place { store, group } = self.directory.place();
        let kinds = self.control.kinds();
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            () = deploy_all(&kinds, &self.directory) => {}
        }
        let mine = Arc::new(AtomicBool::new(false));
        let control = self.control.clone();
        let work = Views { feed: Arc::clone(&self.feed), directory: self.directory, control: self.control };
        work.keep();
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            prepared = prepare(&control) => prepared?,
        }
        let mut mending = JoinSet::new();
        mending.spawn(Mender { control: control.clone(), mine: Arc::clone(&mine) }.run());
        let rounds = Rounds::new(Some(self.ledger), self.feed, store, group, Arc::new(work), control, mine);
        group::run(rounds, shutdown).await
    }
}

/// Finds out which generations there are, and makes the first ones known, however often it takes.
async fn deploy_all(kinds: &[Arc<dyn Kind>], directory: &Directory) {
    let Place { store, group } = directory.place();
    for kind in kinds {
        let mut backoff = Backoff::default();
        loop {
            match deploy(store.as_ref(), &group, kind.name(), kind.version()).await {
                Ok(generations) => {
                    directory.learn(&[(Arc::clone(&generations.projection), generations)].into());
                    break;
                }
                Err(error) => {
                    let projection = kind.name();
                    tracing::warn!(projection, error = %error, "its generations cannot be found, trying again");
                }
            }
            backoff.pause().await;
        }
    }
}

/// Makes the rows of the generations that are kept where they do not exist yet, however often it takes.
async fn prepare(control: &Control) -> Result<(), RunError> {
    for kept in control.all_kept().iter() {
        let handler = &kept.handler;
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
        let projections: Vec<_> = self.models.keys().collect();
        f.debug_struct("Runner")
            .field("group", &self.directory.place().group)
            .field("projections", &projections)
            .finish_non_exhaustive()
    }
}
