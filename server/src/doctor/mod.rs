//! What is wrong with a service, seen from outside: each finding says what it is and how to mend it. Nothing is changed.
//!
//! - `finding.rs`: a finding, `examine.rs`: all examinations, one after the other,
//! - `infrastructure.rs`: tables, indexes, the stream, the bucket,
//! - `clock.rs`: the clock of this machine against that of AWS,
//! - `group.rs`: workers, leases, generations,
//! - `writers.rs`: processes that died before they had published everything,
//! - `rows.rs`: parked streams, indexes that a read model lacks.

mod clock;
mod examine;
mod finding;
mod group;
mod infrastructure;
mod rows;
#[cfg(test)]
mod tests;
mod writers;

pub(crate) use examine::{Patient, WATCH, examine};
pub(crate) use finding::Severity;
