//! A bank account whose events have about 120 bytes, on Headwater in memory: what all benchmarks measure with. Nothing of
//! AWS or HTTP, so that it is built in a minute.
//!
//! - `account.rs`, `plain.rs`, `read_model.rs`, `workload.rs`: what is measured with,
//! - `library.rs`: the command path in memory, as other libraries are measured too.

mod account;
mod library;
mod plain;
mod read_model;
mod workload;

pub use account::{Account, AccountCommand, AccountEvent, AccountRefusal};
pub use library::{Headwater, Keeping};
pub use plain::{Balance, PlainAccount};
pub use read_model::{AccountRow, take_in};
pub use workload::{command, name};
