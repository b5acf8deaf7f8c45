//! `cargo xtask bench`: Headwater and its peers, back to back on the same workloads, and the page that shows them.
//!
//! - `command.rs`: what is asked for, workload by workload; `build.rs`: the programs that takes,
//! - `case.rs`: a program that is run once a round; `rounds.rs`: rounds, in an order that turns; `figures.rs`: medians and
//!   ranges,
//! - `memory.rs`: W1 to W3; `units.rs`: W4; `http.rs`, `stores.rs` and `shed.rs`: W5, `server.rs` and `load.rs` under them;
//!   `latency.rs`: W6;
//!   `cost.rs`: W7; `growth.rs`: W8 and W9; `instructions.rs`: instructions of single steps,
//! - `report.rs`: tables and aims; `machine.rs`: where it was measured; `page.rs`: `docs/benchmarks.md`.

mod build;
mod case;
mod command;
mod cost;
mod figures;
mod growth;
mod http;
mod instructions;
mod latency;
mod load;
mod machine;
mod memory;
mod page;
mod report;
mod rounds;
mod server;
mod shed;
mod stores;
mod units;

pub(crate) use command::run;
pub(crate) use instructions::keep_their_budget;
