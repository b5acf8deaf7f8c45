//! Being a server: connections, limits, and an end in good order.
//!
//! - `limits.rs`: the limits, as they are configured,
//! - `listener.rs`: accepts connections, refuses those above the limit,
//! - `connection.rs`: one connection, from its first byte; `stall.rs`: one whose peer takes nothing,
//! - `guard.rs`: one request: refused when too many are under way, ended when it takes too long,
//! - `writes.rs`: whether a request that took too long may have written,
//! - `run.rs`: start, signals, and the order of the end.

mod connection;
mod guard;
mod limits;
mod listener;
mod run;
mod signals;
mod stall;
#[cfg(test)]
mod tests;
mod writes;

pub(crate) use guard::{Guard, guard, is_probe};
pub(crate) use limits::Limits;
pub(crate) use run::{Role, Serving};
pub(crate) use writes::Watched;
