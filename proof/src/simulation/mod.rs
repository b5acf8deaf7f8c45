//! What every simulation is made of: a world in virtual time whose whole course follows from a seed.
//!
//! - `random.rs`: chance from the seed,
//! - `air.rs`: the time of the world, what is still on its way in it, and the first law that was broken,
//! - `calls.rs`: the calls of a worker, and its death at one of them,
//! - `clock.rs`: the clocks of workers, which go faster or slower and may stand still,
//! - `trace.rs`: what happened, in order,
//! - `seeds.rs`: many seeds, or one again.
//!
//! The worlds themselves stand with what they simulate: `proof/tests/it/simulation/` from the feed to the rows,
//! `store-kinesis/tests/it/simulation/` from the ledger to the feed.

mod air;
mod calls;
mod clock;
mod random;
mod seeds;
mod trace;

pub use air::{Air, lock};
pub use calls::{Call, Calls};
pub use clock::{Clock, Turn};
pub use random::Random;
pub use seeds::{Run, all, finished, seeds};
pub use trace::Trace;
