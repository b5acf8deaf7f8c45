//! Programs that others wrote, for a second opinion: servers that answer like AWS, which the tests in
//! `store-kinesis/tests/independent/` ask, and one that drives the HTTP API from its description, for
//! `examples/bank/tests/driven/`. They are installed below `target/lookalikes/`, once.

mod command;
mod install;
mod place;
mod servers;

pub(crate) use install::{Variables, prepare};
