//! The memory store passes the conformance suite; broken variants of it do not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backend;
mod broken;
mod calls;
mod own;

headwater::store_conformance!(backend::memory());
