//! What application code writes: to which events a reactor reacts, and how.

use std::error::Error;
use std::fmt;

use headwater::{Aggregate, Event, Recorded, RecordedEvent};

use super::Reaction;
use crate::fold::guarded;
use crate::{Cause, CauseKind};

/// Why a reactor cannot react to an event.
pub type ReactError = Box<dyn Error + Send + Sync>;

/// Something that acts on events: it carries out commands, or does something outside.
///
/// It has the same delivery as a projection: every event of its aggregates, from the first there ever was, in the order of
/// its stream; a stream whose event it cannot react to is parked, and others flow on. How far it has come in each stream is
/// kept where the rows are. It reads the feed apart from the projections of its group, so a slow effect holds up no row.
///
/// A rebuild of a read model does not run it.
///
/// # Delivery
/// A reaction may be begun again after a crash or a lost lease, and by two owners at once. What it does carries a key that
/// comes from the event and is the same each time: a command that was carried out under its key is not carried out again
/// (the ledger remembers the last [`KEYS_REMEMBERED`](headwater::key::KEYS_REMEMBERED) keyed commands of a stream), and an
/// effect hands the key to whatever it calls.
///
/// ```
/// # use headwater::testing::counter::{Counter, CounterCommand, CounterEvent};
/// use headwater::{Id, Recorded};
/// use headwater_projections::reactor::{React, ReactError, Reaction, Reactor, Trigger};
///
/// /// Counts on another counter what was added to any.
/// #[derive(Debug)]
/// struct Tally;
///
/// impl Reactor for Tally {
///     const NAME: &'static str = "tally";
///     fn sources() -> Vec<Trigger<Self>> {
///         vec![Trigger::of::<Counter>()]
///     }
/// }
///
/// impl React<Counter> for Tally {
///     fn react(&self, event: &Recorded<'_, CounterEvent>) -> Result<Reaction, ReactError> {
///         if event.stream.id() == "tally" {
///             return Ok(Reaction::none());
///         }
///         Ok(Reaction::command(&Id::<Counter>::new("tally")?, CounterCommand::Add { amount: 1 }))
///     }
/// }
/// ```
pub trait Reactor: fmt::Debug + Send + Sync + 'static {
    /// Its name: lower-case letters, digits and hyphens, like that of a projection. It is part of every key, so a renamed
    /// reactor reacts to everything anew.
    const NAME: &'static str;

    /// The aggregates it reacts to.
    fn sources() -> Vec<Trigger<Self>>
    where
        Self: Sized;
}

/// How a reactor reacts to the events of one aggregate; one impl per aggregate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it reacts to the events of `{A}`",
    label = "write `impl headwater_projections::reactor::React<{A}> for {Self}`"
)]
pub trait React<A: Aggregate>: Reactor {
    /// Says what is to be done about an event. It must be pure and always say the same about the same event: whatever it
    /// needs is in the event, and what follows from the answer of a command is told by the next event.
    ///
    /// # Errors
    /// Whatever makes the event one that cannot be reacted to: its stream is parked. So does a panic.
    fn react(&self, event: &Recorded<'_, A::Event>) -> Result<Reaction, ReactError>;
}

/// One aggregate that a reactor reacts to, its type forgotten.
pub struct Trigger<R> {
    category: &'static str,
    react: fn(&R, RecordedEvent<'_>) -> Result<Vec<Reaction>, Cause>,
}

impl<R: Reactor> Trigger<R> {
    /// The aggregate `A` as a source of `R`.
    #[must_use]
    pub fn of<A: Aggregate>() -> Self
    where
        R: React<A>,
    {
        Self { category: A::CATEGORY, react: react::<R, A> }
    }

    /// The category of the aggregate's streams.
    #[must_use]
    pub fn category(&self) -> &'static str {
        self.category
    }

    /// What is to be done about each event that a stored one is decoded to.
    pub(crate) fn react(&self, reactor: &R, event: RecordedEvent<'_>) -> Result<Vec<Reaction>, Cause> {
        guarded(|| (self.react)(reactor, event))
    }
}

fn react<R: React<A>, A: Aggregate>(reactor: &R, stored: RecordedEvent<'_>) -> Result<Vec<Reaction>, Cause> {
    let (data, commit) = (stored.data, stored.commit);
    let decoded = <A::Event as Event>::decode(&data.name, data.schema, &data.payload)
        .map_err(|error| Cause::of(CauseKind::Undecodable, &error))?;
    let events = decoded.as_slice().iter().map(|event| Recorded {
        event,
        stream: &commit.stream,
        version: stored.version(),
        id: stored.id(),
        recorded_at: commit.recorded_at,
        metadata: &commit.metadata,
    });
    let react = |event| reactor.react(&event).map_err(|error| Cause::of(CauseKind::Reaction, &*error));
    events.map(react).collect()
}

impl<R> Clone for Trigger<R> {
    fn clone(&self) -> Self {
        Self { category: self.category, react: self.react }
    }
}

impl<R> fmt::Debug for Trigger<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trigger").field("category", &self.category).finish_non_exhaustive()
    }
}
