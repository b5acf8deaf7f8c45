//! Test kit: scenarios with expected rows, the shuffle check, and the conformance suite for row stores.

pub mod rows;
mod scenario;
mod shuffle;

pub use scenario::{Scenario, fold};
