//! Events: what has happened, as types above the seam, as bytes below it.

use std::fmt::Debug;

use crate::codec::{DecodeError, EncodeError};
use crate::schema::EventSchema;
use crate::{EventData, Metadata, StreamName, Timestamp, Version};

/// The events of an aggregate: an enum; derived, never written by hand.
///
/// The variant's name is the wire name. To change a payload, raise `version` and keep the old payload as a struct:
/// it is turned into today's event on every path that decodes.
///
/// ```
/// use headwater::{Decoded, Event, EventData, JsonSchema};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
/// pub enum DoorEvent {
///     #[event(version = 2, from = OpenedV1)]
///     Opened { by: String },
///     Closed,
/// }
///
/// /// The payload of `Opened`, version 1.
/// #[derive(Deserialize, JsonSchema)]
/// pub struct OpenedV1 {}
///
/// impl From<OpenedV1> for DoorEvent {
///     fn from(_: OpenedV1) -> Self {
///         Self::Opened { by: "unknown".to_owned() }
///     }
/// }
///
/// let old = DoorEvent::decode("Opened", 1, b"{}")?;
/// assert_eq!(old, Decoded::One(DoorEvent::Opened { by: "unknown".to_owned() }));
/// let data: EventData = DoorEvent::Closed.encode()?;
/// assert_eq!((&*data.name, data.schema, &*data.payload), ("Closed", 1, &b"{}"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event type",
    label = "add `#[derive(headwater::Event)]` to this enum",
    note = "it also needs serde's `Serialize` and `Deserialize`"
)]
pub trait Event: Clone + Debug + Send + Sync + Sized + 'static {
    /// Wire name and current schema version of every variant, in the order of the variants.
    const TYPES: &'static [EventType];

    /// The event as bytes.
    ///
    /// # Errors
    /// [`EncodeError`] when a field cannot be written as JSON, such as a map with keys that are not text.
    fn encode(&self) -> Result<EventData, EncodeError>;

    /// Reads an event of any version ever published, upcast to today's.
    ///
    /// # Errors
    /// [`DecodeError`] naming the type and version that is unknown, or the payload that does not fit.
    fn decode(name: &str, schema: u32, payload: &[u8]) -> Result<Decoded<Self>, DecodeError>;

    /// The JSON Schema of every type and version that can be decoded.
    fn schemas() -> Vec<EventSchema>;
}

/// The wire name and current schema version of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType {
    /// The wire name.
    pub name: &'static str,
    /// The schema version, from 1.
    pub schema: u32,
}

/// What one stored event becomes: itself, or what replaced its type (several events, or none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded<E> {
    /// One event, by far the usual case.
    One(E),
    /// A retired type, split into several events or dropped.
    Many(Vec<E>),
}

impl<E> Decoded<E> {
    /// The events.
    #[must_use]
    pub fn as_slice(&self) -> &[E] {
        match self {
            Self::One(event) => std::slice::from_ref(event),
            Self::Many(events) => events,
        }
    }
}

/// A decoded event with everything recorded about it: what projections and subscribers see.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a, E> {
    /// The event.
    pub event: &'a E,
    /// The stream it belongs to.
    pub stream: &'a StreamName,
    /// Its version in the stream. Events that one stored event was split into share it.
    pub version: Version,
    /// Its id: commit and index.
    pub id: crate::EventId,
    /// When its commit was decided.
    pub recorded_at: Timestamp,
    /// What is known about its command.
    pub metadata: &'a Metadata,
}
