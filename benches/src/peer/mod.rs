//! One library among others: the same workloads, the same figures.

mod decide;
mod meter;
mod options;
mod run;

pub use options::{Options, Workload};
pub use run::run;
