//! Groups: how the processes that keep the same projections share out the partitions of the feed among themselves.
//!
//! There is no leader. Each process, a *worker*, looks at the items of its group in a [`LeaseStore`], decides by the
//! same pure rules what is its own to do, and does it under a condition on the counter of the item. A counter that an
//! observer has not seen to move for [`limits::EXPIRY`], on its own monotonic clock, belongs to nobody any more. No
//! wall clock is looked at, so none can be wrong.
//!
//! Leases save work; they are not what keeps rows exact. Two workers that believe they own the same partition cost
//! time and not truth, because every write of a row has a condition of its own.

mod catch_up;
mod generations;
mod item;
pub mod limits;
mod memory;
mod observe;
mod plan;
mod store;

pub use catch_up::{CatchUp, Segment, ask, note_done};
pub use generations::{GENERATIONS, GenerationError, Generations, Made, Stage, deploy};
pub use item::{Checkpoint, Document, Item, ItemKey, Items, Lease, Worker, WorkerId};
pub use memory::MemoryLeases;
pub use store::{LeaseError, LeaseStore, Saved};

pub(crate) use observe::Observed;
pub(crate) use plan::{Action, CatchingUp, Held, Plan, View, plan};
