//! Groups of runners: taking over, handing over, resharding, and whatever can go wrong meanwhile.

mod faults;
mod feed;
mod generations;
mod handover;
mod late;
mod random;
pub(crate) mod slow_rows;
mod stores;
mod world;
