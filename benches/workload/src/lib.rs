//! One workload for all: a bank account, its commands in their order, what must come of them, and the meter.
//!
//! Nothing in here knows a library. Each library that is measured implements [`Library`], in a program of its own, and
//! hands itself to `run`: Headwater in the package above, the others in `benches/peers`, which is a workspace of its
//! own, so that the features of their dependencies do not reach ours.

mod commands;
mod library;
mod meter;
mod options;
mod run;

pub use commands::{Command, Row, Totals, balance_after, command, expected, name};
pub use library::{Library, Rebuild};
pub use meter::{
    Meter, Outcome, emit, peak_mib, percentiles, processor_seconds_of, resident_mib, resident_mib_of,
};
pub use options::{Options, Workload};
pub use run::{decide, rebuild, runtime};
