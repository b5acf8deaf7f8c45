//! Read models: rows kept up to date from the events of one or many streams, each event applied exactly once.
//!
//! Application code derives [`Projection`] and writes [`Project::apply`]. The pure [`step`] decides what a batch of
//! commits does to the rows, a [`RowStore`] keeps them, and the [`Runner`] carries events from the feed to the rows.
//! [`ReadModels`] is how others look at the result. A [`Reactor`](reactor::Reactor) acts on events instead of keeping rows. Several processes share the work as a [`group`].
//!
//! Rows and leases in DynamoDB are a package of their own, `headwater-projections-dynamodb`.

extern crate self as headwater_projections;

pub mod backfill;
mod definition;
mod directory;
mod fold;
pub mod group;
mod keys;
mod memory;
mod parked;
mod projection;
mod random;
pub mod reactor;
mod read_models;
pub mod rows;
mod runner;
mod source;
mod step;
#[cfg(feature = "testing")]
pub mod testing;
mod waiting;
mod write;

pub use definition::{Definition, DefinitionError};
pub use group::LeaseStore;
pub use keys::{Keys, MAX_ROW_KEY_BYTES};
pub use memory::Memory;
pub use parked::{
    AuditAction, AuditEntry, AuditTarget, Cause, CauseFingerprint, CauseKind, MAX_AUDIT_BYTES,
    MAX_CAUSE_BYTES, NotAFingerprint, Parked, ParkedGroup, ParkedGroups,
};
pub use projection::{Project, Projection};
pub use read_models::{Found, ReadError, ReadModels};
pub use rows::{MemoryRows, RowStore};
pub use runner::{
    Assignment, Backoff, CatchUpStatus, Control, GROUP, Group, GroupMended, Lag, MAX_GROUPED_STREAMS, Mended,
    Order, OrderError, ParkedCount, PartitionState, PartitionStatus, PlaceStatus, ProjectionState,
    ProjectionStatus, RunError, Runner, Status, Stop, Unread, Work, limits,
};
pub use source::Source;
pub use step::{Batch, Gap, Step, Writes, step};
pub use waiting::Waited;
pub use write::{
    Expect, MAX_ROW_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS, Revision, RowWrite, Transaction,
    VersionWrite,
};
