//! The runner: carries events from the feed to the rows, in one process, each partition in a task of its own.

mod backoff;
mod error;
mod fill;
mod lane;
pub mod limits;
mod partition;
mod run;
mod waits;

pub use error::RunError;
pub use run::Runner;

pub(crate) use waits::Waits;
