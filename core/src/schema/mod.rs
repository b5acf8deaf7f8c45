//! JSON Schemas of events and commands, and the lock that keeps published ones as they are.
//!
//! The derives give every event version and every command a JSON Schema. [`SchemaLock`] keeps those of the events as
//! files beside the code, and a one-line test fails when a published version changes in a way that old events or old
//! readers cannot survive.

mod branch;
mod compare;
mod drift;
mod files;
mod lock;
mod schemas;

pub use compare::{Mode, compare};
pub use drift::{Change, Drift, SchemaDrift};
pub use lock::SchemaLock;
pub use schemas::{CommandSchema, EventSchema, command_schema, event_schema};
