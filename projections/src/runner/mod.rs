//! The runner: carries events from the feed to the rows, in as many processes as there are.
//!
//! - `run.rs`: what a runner is made of,
//! - `work.rs`: what a group may do with a partition, `views.rs`: what a runner does, `group.rs`: a group that does
//!   anything else,
//! - `rounds.rs`: the rounds of a worker: look at the group, plan, act,
//! - `keeper.rs`: a lease that is held: renewed beside the reader of its partition,
//! - `reader.rs`: which projections read together, `cohort.rs`: one batch of theirs,
//! - `kind.rs`: which generations of which projections are kept,
//! - `lane.rs`: the driver of the step, `fill.rs`: gaps are read from the ledger,
//! - `catch_up.rs`: what the feed has lost is read from the ledger, in a `pass.rs`,
//! - `parked.rs`: parked streams; `mender.rs`: they are tried again by themselves, `orders.rs`: by order,
//! - `status.rs`: what is shown of the group, `projections.rs`: of each projection, `pace.rs`: how fast it gets on.

mod backoff;
mod catch_up;
mod cohort;
mod error;
mod fill;
mod group;
mod keeper;
mod kind;
mod lane;
pub mod limits;
mod mender;
mod orders;
mod pace;
mod parked;
mod pass;
mod progress;
mod projections;
mod reader;
mod rounds;
mod run;
mod status;
mod views;
mod waits;
mod work;

pub use backoff::{Backoff, Stop};
pub use error::RunError;
pub use group::Group;
pub use lane::Mended;
pub use orders::{GroupMended, Order, OrderError};
pub use parked::MAX_GROUPED_STREAMS;
pub use projections::{Lag, ParkedCount, PlaceStatus, ProjectionState, ProjectionStatus};
pub use run::{GROUP, Runner};
pub use status::{CatchUpStatus, Control, PartitionState, PartitionStatus, Status};
pub use work::{Assignment, Unread, Work};

pub(crate) use error::LaneError;
pub(crate) use kind::Kind;
pub(crate) use lane::{Handler, Lane};
pub(crate) use pace::Tally;
pub(crate) use waits::AllWaits;
