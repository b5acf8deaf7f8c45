//! The ledger passes the conformance suite on a DynamoDB look-alike in this process, at the price it promises.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backend;
mod corrupt;
mod cost;
mod dynamodb;
mod faults;
mod storm;
mod tables;
mod wire;

headwater::store_conformance!(ledger: backend::embedded());
