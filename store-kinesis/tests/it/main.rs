//! The store passes the conformance suite on look-alikes in this process, at the price it promises.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backend;
mod corrupt;
mod cost;
mod faults;
mod outbox;
mod processes;
mod resharding;
mod rig;
mod shards;
mod simulation;
mod stores;
mod storm;

headwater::store_conformance!(backend::embedded());
