//! The application: its aggregates, its read models, its own routes and commands, and `run`.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::{ArgMatches, Command};
use headwater::{Aggregate, EventStore, Executor};
use headwater_projections::rows::MemoryRows;
use headwater_projections::{DefinitionError, Projection, Runner};
use headwater_store_memory::MemoryStore;

use crate::aggregates::{Served, ServedAggregate};
use crate::{Services, cli, routes};

/// What a command of the application does.
pub type Handler = fn(&ArgMatches) -> Result<(), Box<dyn std::error::Error>>;

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
    projections: Vec<fn(Runner) -> Result<Runner, DefinitionError>>,
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
    pub fn aggregate<A: Aggregate>(mut self) -> Self {
        let earlier = self.aggregates.insert(A::CATEGORY, Arc::new(Served::<A>::new()));
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
        self.projections.push(|runner| runner.projection::<P>());
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

    /// Everything on the memory backends: the routes, and the runner that keeps the read models.
    ///
    /// # Errors
    /// [`DefinitionError`] when a read model is not defined as it must be.
    pub fn in_memory(&self) -> Result<(Router, Runner), DefinitionError> {
        let store = Arc::new(MemoryStore::new());
        self.on(store.clone(), Runner::new(store.clone(), store, Arc::new(MemoryRows::new())))
    }

    /// Everything on this store and this runner, which has no projections yet.
    pub(crate) fn on(
        &self,
        store: Arc<dyn EventStore>,
        runner: Runner,
    ) -> Result<(Router, Runner), DefinitionError> {
        let runner = self.projections.iter().try_fold(runner, |runner, add| add(runner))?;
        let services = Services {
            executor: Executor::new(store),
            read_models: runner.read_models(),
            aggregates: Arc::new(self.aggregates.clone()),
        };
        Ok((routes::router(&services, self.routes.clone()), runner))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let categories: Vec<_> = self.aggregates.keys().collect();
        f.debug_struct("App").field("name", &self.name).field("aggregates", &categories).finish()
    }
}
