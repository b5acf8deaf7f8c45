//! What application code writes: which rows an event belongs to, and what it does to them.

use std::fmt::Debug;

use headwater::{Aggregate, Recorded};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Keys, Source};

/// A read model; derived, never written by hand. A value of the type holds the fields of one row.
///
/// ```
/// # use headwater::{Aggregate, Command, Decider, Event};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
/// # pub enum DoorEvent { Opened, Closed }
/// # #[derive(Debug, Clone, Serialize, Deserialize, Command)]
/// # pub enum DoorCommand { Open }
/// # #[derive(Debug, Serialize)]
/// # pub enum Never {}
/// # impl std::fmt::Display for Never { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
/// # impl std::error::Error for Never {}
/// # #[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
/// # #[aggregate(category = "door")]
/// # pub struct Door {}
/// # impl Decider for Door {
/// #     type Event = DoorEvent;
/// #     type Command = DoorCommand;
/// #     type Refusal = Never;
/// #     fn decide(&self, _: DoorCommand) -> Result<Vec<DoorEvent>, Never> { Ok(vec![DoorEvent::Opened]) }
/// #     fn apply(&mut self, _: &DoorEvent) {}
/// # }
/// use headwater::Recorded;
/// use headwater_projections::{Project, Projection};
///
/// #[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
/// #[projection(name = "openings", version = 1, from(Door))]
/// pub struct Openings {
///     count: u64,
/// }
///
/// impl Project<Door> for Openings {
///     fn apply(&mut self, event: &Recorded<'_, DoorEvent>) {
///         if matches!(event.event, DoorEvent::Opened) {
///             self.count += 1;
///         }
///     }
/// }
/// assert_eq!(Openings::NAME, "openings");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "add `#[derive(headwater::Projection)]` and `#[projection(name = \"…\", version = 1, from(…))]` to it"
)]
pub trait Projection: Default + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name: lower-case letters, digits and hyphens, like a category.
    const NAME: &'static str;
    /// The version of its rows, from 1. Raise it when the fields, `keys` or `apply` change: rows that other code made are
    /// neither kept nor changed any more, and a backfill builds them anew.
    const VERSION: u32;
    /// Whether a row may be fed by many streams. If not, a row's key is the id of its one stream.
    const SHARED: bool;
    /// The fields by which a row store should be able to find rows.
    const INDEXES: &'static [&'static str];

    /// The aggregates it reads.
    fn sources() -> Vec<Source<Self>>;
}

/// How the events of one aggregate change the rows of a projection; one impl per aggregate it reads.
///
/// The runtime stores the applied version with the row, so `apply` is called once for what ends up in the row and
/// need not be idempotent. It should be pure, because a batch whose write is lost is decided again from fresh rows.
///
/// A panic in `keys`, `apply` or `keep` parks the stream for this projection; nothing of that event is written.
/// It takes a program that unwinds: with `panic = "abort"` it ends the process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what the events of `{A}` do to it",
    label = "write `impl headwater_projections::Project<{A}> for {Self}`",
    note = "it needs the function `apply`; `keys` and `keep` have defaults"
)]
pub trait Project<A: Aggregate>: Projection {
    /// The rows an event belongs to. The default is one row per stream, named by the stream's id.
    fn keys(event: &Recorded<'_, A::Event>) -> Keys {
        let _ = event;
        Keys::Stream
    }

    /// Folds one event into a row. A row that does not exist starts as `Default`.
    ///
    /// A row fed by many streams must not depend on the order between them: only the order within a stream is kept.
    /// The shuffle check of the test kit finds rows that do.
    fn apply(&mut self, event: &Recorded<'_, A::Event>);

    /// Whether the row stays after the event that was applied last; `false` deletes it. A deleted row starts as
    /// `Default` again when another event comes.
    fn keep(&self) -> bool {
        true
    }
}
