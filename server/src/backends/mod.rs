//! What a process runs on: AWS, or the look-alikes of it that `dev` has in its own process. The code on top is the same.
//!
//! - `place.rs`: where everything is, as a value that can be shown and asked for,
//! - `connect.rs`: clients for a place; nothing runs and nothing is made yet,
//! - `open.rs`: store, rows and leases on a connection, with the tasks they need,
//! - `local.rs`: the look-alikes of `dev`, prepared and ready,
//! - `bucket.rs`: the bucket of the archive.

pub(crate) mod bucket;
mod connect;
mod local;
mod open;
mod place;

pub(crate) use connect::{ConnectError, Connection, reach};
pub(crate) use local::StartError;
pub(crate) use open::{Backends, Books};
pub(crate) use place::{Names, Place};
