//! Rebuilding a read model, measured.
//!
//! - `command.rs`: the processes: look-alikes, filling them, one for each measurement,
//! - `place.rs`: clients for the look-alikes,
//! - `history.rs`: the events, as a feed that an archive is written from, and as commits of a ledger,
//! - `measure.rs`: one rebuild.

mod command;
mod history;
mod measure;
mod place;

pub use command::run;

/// Why there is no measurement.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
