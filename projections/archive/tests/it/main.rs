//! The archive from outside: what comes into the files, whatever dies when, and what comes out of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod broken;
mod chain;
mod content;
mod faults;
mod feed;
mod loss;
mod restore;
mod rotation;
mod s3;
mod world;
