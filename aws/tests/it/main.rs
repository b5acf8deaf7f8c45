//! What is shared by the AWS backends, against look-alikes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod tables;
