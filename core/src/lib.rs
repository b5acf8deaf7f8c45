//! Event sourcing for Rust: derive the facts, write the rules, erase the types at the edge.
//!
//! Application code derives [`Event`], [`Command`] and [`Aggregate`] and writes two pure functions, [`Decider::decide`]
//! and [`Decider::apply`]. An [`Executor`] carries commands out on any [`EventStore`].
//!
//! This crate knows nothing of AWS, HTTP or a runtime. Backends live in crates of their own.

extern crate self as headwater;

mod aggregate;
pub mod codec;
mod command;
mod commit;
mod event;
pub mod execute;
mod id;
pub mod key;
mod metadata;
mod name;
pub mod schema;
mod snapshot;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod version;

pub use aggregate::{Aggregate, Decider, SnapshotPolicy};
pub use command::Command;
pub use commit::{Commit, CommitId, EventData, EventId, RecordedEvent};
pub use event::{Decoded, Event, EventType, Recorded};
pub use execute::{Batch, BatchExecuted, ExecuteError, Executed, Executor, Options};
pub use headwater_derive::{Aggregate, Command, Event, Projection};
pub use id::Id;
pub use jiff::Timestamp;
pub use key::CommandKey;
pub use metadata::{Facts, Metadata};
pub use name::{MAX_CATEGORY_BYTES, MAX_STREAM_NAME_BYTES, NameError, StreamName, check_category};
pub use schemars::JsonSchema;
pub use snapshot::Snapshot;
pub use store::{EventFeed, EventStore, EventStoreExt};
pub use version::{Expected, Version};

/// What the derives refer to; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use schemars;
    pub use serde;
    pub use serde_json;
}
