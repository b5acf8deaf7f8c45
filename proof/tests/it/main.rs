//! The proof: models searched to their end, a simulation from seeds, fuzzed decoders, and chaos over real processes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

mod fuzz;
mod model;
mod simulation;
