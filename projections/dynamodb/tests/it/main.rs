//! Rows and leases against a look-alike of DynamoDB in this process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod leases;
mod rows;
mod takeover;
mod workers;
