//! A server over real sockets.
//!
//! - `server.rs`: the server,
//! - `limits.rs`: half of something, too many, too slow,
//! - `ending.rs`: the end.

mod ending;
mod limits;
mod server;
