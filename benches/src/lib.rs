//! The benchmarks of Headwater. What is measured with is a package of its own, `account/`, and so are single steps.
//!
//! - `replay.rs`: the read model in memory, as other libraries are measured too,
//! - `figures/`: what only Headwater has: requests and units, growth, latency, servers,
//! - `rebuild/`: read models built anew out of Parquet and out of the ledger, `timed.rs` one of them with its times,
//! - `teller.rs`: a client of a running bank, `sdk.rs`: the SDK of AWS for look-alikes.
//!
//! `cargo xtask bench` runs it all beside the others and writes `docs/benchmarks.md`.

pub mod figures;
pub mod rebuild;
mod replay;
mod sdk;
pub mod teller;
mod timed;

pub use headwater_account::{
    Account, AccountCommand, AccountEvent, AccountRefusal, AccountRow, Balance, Headwater, Keeping,
    PlainAccount, command, name, take_in,
};
pub use replay::Replayed;
