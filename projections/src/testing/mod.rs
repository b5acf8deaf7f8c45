//! Test kit: scenarios with expected rows, the shuffle check, and the conformance suites for row and lease stores.

pub mod leases;
pub mod rows;
mod scenario;
mod seed;
mod shuffle;

pub use scenario::{Scenario, fold};
pub use seed::seed;
pub(crate) use seed::seeded;
