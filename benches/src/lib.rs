//! The workload of the benchmarks: a bank account whose events have about 120 bytes, and its commands.

mod account;
pub mod peer;
pub mod rebuild;
mod workload;

pub use account::{Account, AccountCommand, AccountEvent, AccountRefusal};
pub use workload::{command, name};
