//! The work of a runner: its projections read each partition together.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::EventFeed;

use super::Control;
use super::cohort::{Context, Place};
use super::lane::Handler;
use super::reader::Reader;
use super::work::{Assignment, Work};
use crate::group::Checkpoint;

/// The projections of a runner.
pub(super) struct Views {
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) handlers: Vec<Arc<dyn Handler>>,
    pub(super) control: Control,
}

#[async_trait]
impl Work for Views {
    fn names(&self) -> Arc<[Arc<str>]> {
        self.handlers.iter().map(|handler| handler.generation().to_string().into()).collect()
    }

    async fn read(&self, assignment: Assignment) -> bool {
        let places =
            self.handlers.iter().filter_map(|handler| place(handler.as_ref(), &assignment)).collect();
        let (feed, paused) = (Arc::clone(&self.feed), self.control.paused());
        Reader::new(Context { feed, assignment, paused }).read(places).await
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projections: Vec<_> = self.handlers.iter().map(|handler| handler.name()).collect();
        f.debug_struct("Views").field("projections", &projections).finish_non_exhaustive()
    }
}

/// Where a projection stands in a partition; nowhere when it has come to its end.
fn place(handler: &dyn Handler, assignment: &Assignment) -> Option<Place> {
    let generation: Arc<str> = handler.generation().to_string().into();
    let at = match assignment.checkpoint(&generation) {
        Some(Checkpoint::End) => return None,
        Some(Checkpoint::At(position)) => Some(position.clone()),
        None => None,
    };
    Some(Place { name: handler.name(), generation, lane: handler.lane(), at })
}
