//! Servers that others wrote and that answer like AWS: the tests in `store-kinesis/tests/independent/` ask them for a
//! second opinion. They are installed below `target/lookalikes/`, once.

mod command;
mod install;
mod place;
mod servers;

pub(crate) use install::{Variables, prepare};
