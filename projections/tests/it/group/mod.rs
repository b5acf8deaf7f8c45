//! Groups of runners: taking over, handing over, resharding, and whatever can go wrong meanwhile.

mod catch_up;
mod faults;
mod feed;
mod generations;
mod handover;
mod late;
mod ledger;
mod random;
mod reactors;
pub(crate) mod slow_rows;
mod stores;
mod waits;
mod world;
