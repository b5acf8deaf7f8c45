//! Test kit: given, when, then for aggregates; the conformance suite for stores; stores that misbehave on purpose.

pub mod conformance;
pub mod counter;
mod given;
mod stale;
mod tampered;

pub use given::*;
pub use stale::Stale;
pub use tampered::{Tampered, Tampering};
