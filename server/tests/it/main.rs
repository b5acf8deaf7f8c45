//! The routes, driven as a client would, over the memory backends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod admin;
mod bad_input;
mod batch;
mod client;
mod commands;
mod consistency;
mod errors;
mod extension;
mod feed;
mod fuzz;
mod import;
mod note;
mod openapi;
mod read_models;
mod streams;
