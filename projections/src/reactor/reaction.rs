//! What is to be done about an event: commands and effects, described and not done yet.

use std::fmt;
use std::future::Future;

use futures::FutureExt;
use futures::future::BoxFuture;
use headwater::store::StoreError;
use headwater::{Aggregate, CommandKey, ExecuteError, Executor, Id, Options};

use crate::parked::chain;

/// Why an effect failed.
pub type EffectError = Box<dyn std::error::Error + Send + Sync>;

/// What is to be done about an event: nothing, or commands and effects, in this order.
///
/// Each part is begun when the ones before it are done. When one fails, those before it are met again with their keys, so
/// one command for each event is the safest, and a chain of events the way to do several things.
#[derive(Default)]
#[must_use]
pub struct Reaction {
    pub(super) parts: Vec<Part>,
}

/// One thing to do.
pub(super) enum Part {
    Command(Box<dyn FnOnce(Executor, Options) -> Doing + Send>),
    Effect(Box<dyn FnOnce(CommandKey) -> Doing + Send>),
}

/// A part under way.
pub(super) type Doing = BoxFuture<'static, Result<(), Hitch>>;

/// Why a part is not done.
#[derive(Debug)]
pub(super) enum Hitch {
    /// The ledger cannot be reached for now: everybody waits for it.
    Ledger(StoreError),
    /// It failed, and the same may succeed in a moment.
    Passing(String),
    /// It failed, and trying at once does not help.
    Refused(String),
}

impl Reaction {
    /// Nothing is to be done.
    pub fn none() -> Self {
        Self::default()
    }

    /// A command is to be carried out.
    ///
    /// A refusal parks the stream of the event. If it is to be expected that a command cannot be obeyed, let its aggregate
    /// say so with an event: then there is something to react to, and a repeat says the same.
    pub fn command<A: Aggregate>(id: &Id<A>, command: A::Command) -> Self {
        Self::none().and_command(id, command)
    }

    /// The same with one more command.
    pub fn and_command<A: Aggregate>(mut self, id: &Id<A>, command: A::Command) -> Self {
        let id = id.clone();
        self.parts.push(Part::Command(Box::new(move |executor, options| {
            async move {
                let executed = executor.execute_with(&id, command, &options).await;
                executed.map(drop).map_err(|error| Hitch::of(&id, error))
            }
            .boxed()
        })));
        self
    }

    /// Something outside is to be done. `effect` gets the key of this part, the same each time: hand it to what you call,
    /// as its idempotency key. An error is tried again a few times, and then parks the stream of the event.
    ///
    /// ```
    /// use headwater_projections::reactor::Reaction;
    /// let reaction = Reaction::effect(|key| async move {
    ///     println!("sending a letter, {key}");
    ///     Ok(())
    /// });
    /// # let _ = reaction;
    /// ```
    pub fn effect<F, E>(effect: F) -> Self
    where
        F: FnOnce(CommandKey) -> E + Send + 'static,
        E: Future<Output = Result<(), EffectError>> + Send + 'static,
    {
        Self::none().and_effect(effect)
    }

    /// The same with one more effect.
    pub fn and_effect<F, E>(mut self, effect: F) -> Self
    where
        F: FnOnce(CommandKey) -> E + Send + 'static,
        E: Future<Output = Result<(), EffectError>> + Send + 'static,
    {
        self.parts.push(Part::Effect(Box::new(move |key| {
            // The effect itself is code of the application as well: it is begun inside the task that guards it.
            async move { effect(key).await.map_err(|error| Hitch::Passing(chain(&*error))) }.boxed()
        })));
        self
    }
}

impl Hitch {
    fn of<A: Aggregate>(id: &Id<A>, error: ExecuteError<A::Refusal>) -> Self {
        let passing = error.retry_helps();
        match error {
            ExecuteError::Store(error) if passing => Self::Ledger(error),
            error => {
                let message = format!("a command on {}: {}", id.stream(), chain(&error));
                if passing { Self::Passing(message) } else { Self::Refused(message) }
            }
        }
    }
}

impl fmt::Debug for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts.iter().map(|part| match part {
            Part::Command(_) => "command",
            Part::Effect(_) => "effect",
        });
        f.debug_list().entries(parts).finish()
    }
}
