//! The application: its aggregates, its read models, its own routes and commands, and `run`.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::{ArgMatches, Command};
use headwater::{Aggregate, EventStore, Executor};
use headwater_projections::backfill::Target;
use headwater_projections::reactor::{REACTOR_VERSION, Reactor};
use headwater_projections::rows::MemoryRows;
use headwater_projections::{DefinitionError, GROUP, Projection, Runner};
use headwater_store_memory::MemoryStore;

use crate::aggregates::{Served, ServedAggregate};
use crate::feed::Hub;
use crate::openapi::{Described, document};
use crate::prepare::{Prepare, Preparing};
use crate::services::{ServiceParts, Surroundings};
use crate::serving::Watched;
use crate::{Problem, Services, cli, routes};

/// What a command of the application does.
pub type Handler = fn(&ArgMatches) -> Result<(), Box<dyn std::error::Error>>;

/// Adds a projection or a reactor to a runner.
type Add = Arc<dyn Fn(Runner) -> Result<Runner, DefinitionError> + Send + Sync>;

/// A projection that the application keeps, or a reactor, whose places are kept alike.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) indexes: &'static [&'static str],
    add: Add,
    /// As something that can be rebuilt; a reactor cannot.
    pub(crate) target: Option<fn() -> Result<Target, DefinitionError>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, indexes, .. } = self;
        f.debug_struct("Kept")
            .field("name", name)
            .field("version", version)
            .field("indexes", indexes)
            .finish_non_exhaustive()
    }
}

/// A service in the making.
///
/// ```no_run
/// # use headwater::testing::counter::Counter;
/// # async fn main_() -> std::process::ExitCode {
/// headwater_server::App::new("counters").aggregate::<Counter>().run().await
/// # }
/// ```
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) hints: Vec<String>,
    pub(crate) commands: Vec<(Command, Handler)>,
    aggregates: BTreeMap<&'static str, Arc<dyn ServedAggregate>>,
    projections: Vec<Kept>,
    routes: Router<Services>,
}

impl App {
    /// A service of this name, which is also that of its binary.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            hints: Vec::new(),
            commands: Vec::new(),
            aggregates: BTreeMap::new(),
            projections: Vec::new(),
            routes: Router::new(),
        }
    }

    /// The same, answering for an aggregate.
    ///
    /// # Panics
    /// When another aggregate has the same category.
    #[must_use]
    pub fn aggregate<A: Aggregate>(self) -> Self {
        self.served(Served::<A>::new(None))
    }

    /// The same, answering for an aggregate whose commands are filled in before they are decided: with a price, a rate,
    /// an id of another system. Rules stay pure, and what they need comes in the command.
    ///
    /// `prepare` gets the command as the client sent it, and a repeat under a known key is answered without it. It may
    /// run more than once for one command that is sent twice at the same time, so it should only ask, not do.
    ///
    /// ```
    /// # use headwater::testing::counter::{Counter, CounterCommand};
    /// # async fn lucky_number() -> u64 { 7 }
    /// let app = headwater_server::App::new("counters").aggregate_with::<Counter, _, _>(|preparing| async move {
    ///     Ok(match preparing.command {
    ///         CounterCommand::Add { amount: 0 } => CounterCommand::Add { amount: lucky_number().await },
    ///         other => other,
    ///     })
    /// });
    /// ```
    ///
    /// # Cost
    /// Of a command with a key, at most one page more than without `prepare`: that it is no repeat is confirmed at the
    /// store, as another process may have carried it out. Of one without a key, nothing more.
    ///
    /// # Panics
    /// When another aggregate has the same category.
    #[must_use]
    pub fn aggregate_with<A, F, R>(self, prepare: F) -> Self
    where
        A: Aggregate,
        F: Fn(Preparing<A>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<A::Command, Problem>> + Send + 'static,
    {
        let prepare: Prepare<A> = Arc::new(move |preparing| Box::pin(prepare(preparing)));
        self.served(Served::<A>::new(Some(prepare)))
    }

    fn served<A: Aggregate>(mut self, served: Served<A>) -> Self {
        let earlier = self.aggregates.insert(A::CATEGORY, Arc::new(served));
        assert!(
            earlier.is_none(),
            "two aggregates have the category {:?}: choose another for one",
            A::CATEGORY
        );
        self
    }

    /// The same, keeping a read model.
    #[must_use]
    pub fn projection<P: Projection>(mut self) -> Self {
        let add: Add = Arc::new(|runner: Runner| runner.projection::<P>());
        let (name, version, indexes) = (P::NAME, P::VERSION, P::INDEXES);
        let target: fn() -> Result<Target, DefinitionError> = Target::of::<P>;
        self.projections.push(Kept { name, version, indexes, add, target: Some(target) });
        self
    }

    /// The same with a reactor: it acts on events instead of keeping rows.
    #[must_use]
    pub fn reactor<R: Reactor + Clone>(mut self, reactor: R) -> Self {
        let add: Add = Arc::new(move |runner: Runner| runner.reactor(reactor.clone()));
        self.projections.push(Kept {
            name: R::NAME,
            version: REACTOR_VERSION,
            indexes: &[],
            add,
            target: None,
        });
        self
    }

    /// The same with routes of the application's own, beside the built-in ones.
    #[must_use]
    pub fn routes(mut self, routes: Router<Services>) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// The same with a command of the application's own, beside `dev` and `import`.
    #[must_use]
    pub fn command(mut self, command: Command, handler: Handler) -> Self {
        self.commands.push((command, handler));
        self
    }

    /// The same with a line to try, printed when `dev` starts; `{url}` stands for the server's address,
    /// `{bin}` for the running binary.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// Reads the command line and does what it says.
    pub async fn run(self) -> ExitCode {
        cli::run(self).await
    }

    /// Everything on the memory backends: the routes, and the runner that keeps the read models. Rebuilds that are asked for
    /// stay queued: `dev` and `serve` carry them out.
    ///
    /// # Errors
    /// [`DefinitionError`] when a read model is not defined as it must be.
    pub fn in_memory(&self) -> Result<(Router, Runner), DefinitionError> {
        let store = Arc::new(MemoryStore::new());
        let runner = Runner::new(store.clone(), store.clone(), Arc::new(MemoryRows::new()));
        self.on_store(store, runner)
    }

    /// Everything on a store of your own, and a runner on it that has no projections yet: the routes, and that runner with
    /// the read models of this service.
    ///
    /// # Errors
    /// [`DefinitionError`] when a read model is not defined as it must be.
    pub fn on_store(
        &self,
        store: Arc<dyn EventStore>,
        runner: Runner,
    ) -> Result<(Router, Runner), DefinitionError> {
        self.on(Surroundings::memory(self.name), store, runner)
    }

    /// Everything on this store and this runner, which has no projections yet.
    pub(crate) fn on(
        &self,
        surroundings: Surroundings,
        store: Arc<dyn EventStore>,
        runner: Runner,
    ) -> Result<(Router, Runner), DefinitionError> {
        let runner = self.projections.iter().try_fold(runner, |runner, kept| (kept.add)(runner))?;
        let read_models = runner.read_models();
        let described = Described {
            name: self.name,
            aggregates: self.aggregates.values().map(|aggregate| aggregate.describe()).collect(),
            read_models: read_models.names().collect(),
        };
        let routed = routes::operations();
        let operations = surroundings.operations.clone().unwrap_or_else(|| read_models.operations());
        let services = Services::from(ServiceParts {
            executor: Executor::new(Arc::new(Watched(store))),
            read_models,
            control: runner.control(),
            name: self.name,
            aggregates: self.aggregates.clone(),
            hub: Hub::new(runner.feed()),
            operations,
            openapi: document(&described, &routed).to_string().into(),
            stopping: surroundings.stopping.clone(),
            surroundings,
        });
        Ok((routes::router(&services, &routed, self.routes.clone()), runner))
    }

    /// The aggregates of the application by category.
    pub(crate) fn aggregates(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn ServedAggregate>)> {
        self.aggregates.iter().map(|(category, aggregate)| (*category, aggregate))
    }

    /// The projections of the application.
    pub(crate) fn kept(&self) -> &[Kept] {
        &self.projections
    }

    /// This runner with these projections and no others, as a group of its own.
    pub(crate) fn only(&self, runner: Runner, names: &[String]) -> Result<Runner, OnlyError> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        let mut runner = runner.group(&format!("{GROUP}-{}", names.join("-")))?;
        for name in &names {
            let known = || self.projections.iter().map(|kept| kept.name).collect::<Vec<_>>().join(", ");
            let found = self.projections.iter().find(|kept| kept.name == name);
            let kept = found.ok_or_else(|| OnlyError::Unknown { name: name.clone(), known: known() })?;
            runner = (kept.add)(runner)?;
        }
        Ok(runner)
    }
}

/// Why a process cannot keep only these projections.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnlyError {
    #[error("projection {name:?} is unknown: known are {known}")]
    Unknown { name: String, known: String },
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let categories: Vec<_> = self.aggregates.keys().collect();
        f.debug_struct("App").field("name", &self.name).field("aggregates", &categories).finish()
    }
}
