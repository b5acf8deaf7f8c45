//! A reactor in a runner, its type forgotten.

use std::fmt;
use std::sync::Arc;

use headwater::{EventStore, Executor, check_category};
use tokio::sync::Mutex;

use super::lane::ReactorLane;
use super::{Reactor, Trigger};
use crate::rows::Generation;
use crate::runner::{Handler, Kind, Lane, Tally};
use crate::{DefinitionError, RowStore};

/// The version of every reactor: what was reacted to is not reacted to anew by other code.
pub const REACTOR_VERSION: u32 = 1;

/// What the lanes of a reactor work with.
pub(crate) struct ReactorKind<R> {
    pub(super) reactor: Arc<R>,
    pub(super) triggers: Arc<[Trigger<R>]>,
    pub(super) rows: Arc<dyn RowStore>,
    pub(super) ledger: Arc<dyn EventStore>,
    pub(super) executor: Executor,
}

impl<R: Reactor> ReactorKind<R> {
    /// Checks the definition of a reactor.
    pub(crate) fn new(
        reactor: R,
        rows: Arc<dyn RowStore>,
        ledger: Arc<dyn EventStore>,
        executor: Executor,
    ) -> Result<Self, DefinitionError> {
        let (name, triggers) = (R::NAME, R::sources());
        if check_category(name).is_err() {
            return Err(DefinitionError::Name { name });
        }
        if triggers.is_empty() {
            return Err(DefinitionError::NoSource { name });
        }
        let mut categories: Vec<_> = triggers.iter().map(Trigger::category).collect();
        categories.sort_unstable();
        if let Some((category, _)) = categories.iter().zip(categories.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(DefinitionError::SourceTwice { name, category });
        }
        Ok(Self { reactor: Arc::new(reactor), triggers: triggers.into(), rows, ledger, executor })
    }
}

impl<R: Reactor> Kind for ReactorKind<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn version(&self) -> u32 {
        REACTOR_VERSION
    }

    fn handler(&self, number: u32) -> Arc<dyn Handler> {
        let generation = Generation::new(R::NAME, number);
        Arc::new(ReactorHandler { kind: self.clone(), generation, tally: Arc::default() })
    }
}

/// A reactor whose places are kept in this generation.
#[derive(Debug)]
struct ReactorHandler<R> {
    kind: ReactorKind<R>,
    generation: Generation,
    tally: Arc<Tally>,
}

impl<R: Reactor> ReactorHandler<R> {
    fn new_lane(&self) -> ReactorLane<R> {
        ReactorLane::new(self.kind.clone(), self.generation.clone(), Arc::clone(&self.tally))
    }
}

impl<R: Reactor> Handler for ReactorHandler<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }
    fn generation(&self) -> &Generation {
        &self.generation
    }
    fn lane(&self) -> Arc<Mutex<dyn Lane>> {
        Arc::new(Mutex::new(self.new_lane()))
    }
    fn own_lane(&self) -> Box<dyn Lane> {
        Box::new(self.new_lane())
    }
    fn rows(&self) -> (&Arc<dyn RowStore>, &'static [&'static str]) {
        (&self.kind.rows, &[])
    }
    fn tally(&self) -> &Tally {
        &self.tally
    }
    fn apart(&self) -> bool {
        true
    }
}

impl<R> Clone for ReactorKind<R> {
    fn clone(&self) -> Self {
        Self {
            reactor: Arc::clone(&self.reactor),
            triggers: Arc::clone(&self.triggers),
            rows: Arc::clone(&self.rows),
            ledger: Arc::clone(&self.ledger),
            executor: self.executor.clone(),
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for ReactorKind<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactorKind").field("reactor", &self.reactor).finish_non_exhaustive()
    }
}
