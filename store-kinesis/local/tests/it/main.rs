//! Tests of the local mode, with the clients of the AWS SDK.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod clients;
mod directory;
mod dynamodb;
mod kill;
mod kinesis;
mod ports;
mod s3;
