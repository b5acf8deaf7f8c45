//! What is measured of Headwater alone; each prints lines of JSON, which `cargo xtask bench` makes tables of.
//!
//! - `command.rs`: the command line,
//! - `look_alike.rs`: look-alikes of AWS in this process, and clients whose requests are counted,
//! - `units.rs`: what a command and a row use of DynamoDB and Kinesis,
//! - `growth.rs`: how a command and memory grow with streams and with events,
//! - `latency.rs`: from the answer of a command to its row; `subscriptions.rs`: what those who listen take,
//! - `bank.rs`: the bank on the memory store, behind HTTP.

mod bank;
mod command;
mod growth;
mod latency;
mod look_alike;
mod subscriptions;
mod units;

pub use command::run;

/// Why there is no figure.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
