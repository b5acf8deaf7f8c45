//! The real runner, leases and step on virtual time, in a world made from a seed.
//!
//! - `world.rs`: workers on clocks of their own, in turns that the seed decides,
//! - `way.rs`: a worker's way to the stores, with everything that happens on it; `stores.rs`: the stores seen over it,
//! - `feed.rs`, `shared.rs`: what all workers share,
//! - `account.rs`: what is projected, and the plain fold; `check.rs`: the laws,
//! - `tests.rs`: the seeds.

mod account;
mod check;
mod feed;
mod shared;
mod stores;
mod tests;
mod way;
mod world;
