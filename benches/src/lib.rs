//! The benchmarks of Headwater: a bank account whose events have about 120 bytes, and what is measured with it.
//!
//! - `account.rs`, `plain.rs`, `read_model.rs`, `workload.rs`: what is measured with,
//! - `library.rs`: the command path in memory, as other libraries are measured too; `replay.rs`: the read model,
//! - `figures/`: what only Headwater has: requests and units, growth, latency, servers,
//! - `rebuild/`: read models built anew out of Parquet and out of the ledger, `timed.rs` one of them with its times,
//! - `teller.rs`: a client of a running bank, `sdk.rs`: the SDK of AWS for look-alikes.
//!
//! `cargo xtask bench` runs it all beside the others and writes `docs/benchmarks.md`.

mod account;
pub mod figures;
mod library;
mod plain;
mod read_model;
pub mod rebuild;
mod replay;
mod sdk;
pub mod teller;
mod timed;
mod workload;

pub use account::{Account, AccountCommand, AccountEvent, AccountRefusal};
pub use library::{Headwater, Keeping};
pub use plain::{Balance, PlainAccount};
pub use read_model::{AccountRow, take_in};
pub use replay::Replayed;
pub use workload::{command, name};
