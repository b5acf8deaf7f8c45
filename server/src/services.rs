//! What routes work with.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use headwater::Executor;
use headwater_projections::backfill::Operations;
use headwater_projections::{Control, ReadModels};

use crate::aggregates::ServedAggregate;
use crate::auth::Auth;
use crate::backends::Place;
use crate::config::Shown;
use crate::feed::Hub;
use crate::observe::{Metrics, Vitals};
use crate::serving::Limits;
use crate::{Problem, Stopping};

/// What routes work with, the built-in ones and those of the application: the fields of [`ServiceParts`]. Cheap to clone:
/// each layer and each route does it for each request.
#[derive(Clone)]
pub struct Services(Arc<ServiceParts>);

/// The parts of [`Services`].
pub struct ServiceParts {
    /// Carries commands out.
    pub executor: Executor,
    /// Looks rows of read models up.
    pub read_models: ReadModels,
    /// How the projections of this process are doing, and orders to them.
    pub control: Control,
    pub(crate) name: &'static str,
    pub(crate) aggregates: BTreeMap<&'static str, Arc<dyn ServedAggregate>>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) operations: Operations,
    pub(crate) openapi: Arc<str>,
    /// Says when this process is about to end.
    pub stopping: Stopping,
    pub(crate) surroundings: Surroundings,
}

/// What a process runs in, beside its store and its read models.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) place: Arc<Place>,
    pub(crate) stopping: Stopping,
    pub(crate) limits: Arc<Limits>,
    pub(crate) auth: Auth,
    pub(crate) metrics: Metrics,
    pub(crate) vitals: Vitals,
    /// What this process is asked for, when it also carries that out.
    pub(crate) operations: Option<Operations>,
    pub(crate) reading: Reading,
    /// Every setting, as it may be shown.
    pub(crate) settings: Arc<[Shown]>,
}

/// What reads for read models in this process.
#[derive(Debug, Clone)]
pub(crate) enum Reading {
    /// The readers of all.
    All,
    /// A group of its own, for some.
    Some(Control),
    /// Nothing.
    Nothing,
}

impl Surroundings {
    /// Those of a router that no server stands around.
    pub(crate) fn memory(application: &str) -> Self {
        Self {
            place: Arc::new(Place::memory(application)),
            stopping: Stopping::new().1,
            limits: Arc::default(),
            auth: Auth::default(),
            metrics: Metrics::of_process(),
            vitals: Vitals::default(),
            operations: None,
            reading: Reading::All,
            settings: Arc::new([]),
        }
    }
}

impl From<ServiceParts> for Services {
    fn from(parts: ServiceParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Services {
    type Target = ServiceParts;

    fn deref(&self) -> &ServiceParts {
        &self.0
    }
}

impl ServiceParts {
    /// The readers of this process, for an order to them.
    pub(crate) fn readers(&self) -> Result<&Control, Problem> {
        match &self.surroundings.reading {
            Reading::All => Ok(&self.control),
            Reading::Some(group) => Ok(group),
            Reading::Nothing => Err(Problem::not_found(
                "this process keeps no read models: ask each one that does, with --role worker or all",
            )),
        }
    }

    /// How read models are doing, seen from this process.
    pub(crate) fn seen(&self) -> &Control {
        self.readers().unwrap_or(&self.control)
    }

    pub(crate) fn aggregate(&self, category: &str) -> Result<&Arc<dyn ServedAggregate>, Problem> {
        self.aggregates.get(category).ok_or_else(|| {
            let known: Vec<_> = self.aggregates.keys().copied().collect();
            Problem::not_found(format!("category {category:?} is unknown: known are {}", known.join(", ")))
        })
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Services").field(&**self).finish()
    }
}

impl fmt::Debug for ServiceParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let categories: Vec<_> = self.aggregates.keys().collect();
        f.debug_struct("ServiceParts")
            .field("executor", &self.executor)
            .field("aggregates", &categories)
            .finish_non_exhaustive()
    }
}
