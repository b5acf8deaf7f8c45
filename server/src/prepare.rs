//! The step in front of `decide`: what a decision needs from outside is filled into the command.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use headwater::{Aggregate, Id, Metadata};

use crate::{Problem, Services};

/// Fills something into a command.
pub(crate) type Prepare<A> = Arc<
    dyn Fn(Preparing<A>) -> BoxFuture<'static, Result<<A as headwater::Decider>::Command, Problem>>
        + Send
        + Sync,
>;

/// A command before it is decided, for [`App::aggregate_with`](crate::App::aggregate_with).
#[non_exhaustive]
pub struct Preparing<A: Aggregate> {
    /// What routes work with.
    pub services: Services,
    /// Whose command it is.
    pub id: Id<A>,
    /// The command as the client sent it.
    pub command: A::Command,
    /// What is known about it.
    pub metadata: Metadata,
}

impl<A: Aggregate> fmt::Debug for Preparing<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preparing")
            .field("id", &self.id)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}
