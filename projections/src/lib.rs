//! Read models: rows kept up to date from the events of one or many streams, each event applied exactly once.
//!
//! Application code derives [`Projection`] and writes [`Project::apply`]. The pure [`step`] decides what a batch of
//! commits does to the rows, a [`RowStore`] keeps them, and the [`Runner`] carries events from the feed to the rows.
//! [`ReadModels`] is how others look at the result.
//!
//! Not here: leases between processes, rows in DynamoDB, commands for parked streams.

extern crate self as headwater_projections;

mod definition;
mod fold;
mod keys;
mod memory;
mod parked;
mod projection;
mod read_models;
pub mod rows;
mod runner;
mod source;
mod step;
#[cfg(feature = "testing")]
pub mod testing;
mod write;

pub use definition::{Definition, DefinitionError};
pub use keys::{Keys, MAX_ROW_KEY_BYTES};
pub use memory::Memory;
pub use parked::{Cause, CauseKind, Parked};
pub use projection::{Project, Projection};
pub use read_models::{ReadError, ReadModels};
pub use rows::{MemoryRows, RowStore};
pub use runner::{RunError, Runner, limits};
pub use source::Source;
pub use step::{Batch, Gap, Step, Writes, step};
pub use write::{
    Expect, MAX_ROW_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS, Revision, RowWrite, Transaction,
    VersionWrite,
};
