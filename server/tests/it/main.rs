//! The routes, driven as a client would, over the memory backends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bad_input;
mod client;
mod commands;
mod import;
mod read_models;
mod streams;
