//! What application code writes: the rules of an aggregate, and what the derive adds to them.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Command, Event};

/// The rules of an aggregate: two pure functions. No clock, no I/O, no async.
///
/// Times, prices and ids that a decision needs come in the command.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rules: it derives `Aggregate` but does not implement `Decider`",
    label = "write `impl headwater::Decider for {Self}`",
    note = "it needs the types `Event`, `Command` and `Refusal`, and the functions `decide` and `apply`"
)]
pub trait Decider {
    /// What can have happened.
    type Event: Event;
    /// What can be asked.
    type Command: Command;
    /// Why a command is refused. Its serialised form, an enum as serde writes it, gives the refusal's code and
    /// fields to the client; its `Display` gives the message.
    type Refusal: std::error::Error + Serialize + Send + Sync + 'static;

    /// Decides what a command makes happen in this state; an empty list is a command without effect.
    ///
    /// # Errors
    /// The refusal, when the rules do not allow the command.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Folds one event into the state. It must not fail: the event has happened.
    fn apply(&mut self, event: &Self::Event);
}

/// A consistency boundary with a stream of its own; derived, never written by hand.
///
/// ```
/// # use headwater::{Aggregate, Command, Decider, Event};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
/// # pub enum DoorEvent { Opened, Closed }
/// # #[derive(Debug, Clone, Serialize, Deserialize, Command)]
/// # pub enum DoorCommand { Open, Close }
/// # #[derive(Debug, thiserror::Error, Serialize)]
/// # pub enum DoorRefusal { #[error("the door is open already")] AlreadyOpen }
/// #[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
/// #[aggregate(category = "door", snapshot(every = 100, version = 1))]
/// pub struct Door {
///     open: bool,
/// }
///
/// impl Decider for Door {
///     type Event = DoorEvent;
///     type Command = DoorCommand;
///     type Refusal = DoorRefusal;
///
///     fn decide(&self, command: DoorCommand) -> Result<Vec<DoorEvent>, DoorRefusal> {
///         match command {
///             DoorCommand::Open if self.open => Err(DoorRefusal::AlreadyOpen),
///             DoorCommand::Open => Ok(vec![DoorEvent::Opened]),
///             DoorCommand::Close => Ok(vec![DoorEvent::Closed]),
///         }
///     }
///
///     fn apply(&mut self, event: &DoorEvent) {
///         self.open = matches!(event, DoorEvent::Opened);
///     }
/// }
/// assert_eq!(Door::CATEGORY, "door");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate",
    label = "add `#[derive(headwater::Aggregate)]` and `#[aggregate(category = \"…\")]` to it"
)]
pub trait Aggregate:
    Decider + Default + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The category of its streams.
    const CATEGORY: &'static str;
    /// When its state rides along in a commit; never, if `None`.
    const SNAPSHOT: Option<SnapshotPolicy>;
}

/// When snapshots are taken and which of them are usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// A snapshot rides in the first commit that brings the events since the last usable one to this number.
    pub every: u64,
    /// The version of the state's shape. Raise it when the state or `apply` changes: old snapshots are then ignored.
    pub version: u32,
}
