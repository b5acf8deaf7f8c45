//! The bank: its rules, its transfers, and the real data from end to end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod archive;
mod being_a_server;
mod chaos;
mod cloud;
mod command_line;
mod dev;
mod docs;
mod durable;
mod ending;
mod process;
mod real_data;
mod rebuild;
mod rebuild_archive;
mod rebuild_http;
mod rebuild_kills;
mod rules;
mod schemas;
mod serve;
mod shuffled;
#[cfg(feature = "otlp")]
mod traces;
mod transfers;
mod walk_through;
mod wires;
