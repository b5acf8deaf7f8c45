//! DynamoDB, Kinesis and S3 on loopback, for development and tests.
//!
//! [`Local`] starts the three services of AWS that Headwater uses inside this process, each on a port of 127.0.0.1,
//! and keeps what they are given in one directory.
#![doc = include_str!("../README.md")]

mod directory;
mod dynamodb;
mod error;
mod kinesis;
mod local;
mod options;
mod ports;
mod s3;
mod server;

pub use error::LocalError;
pub use local::Local;
pub use options::Options;

/// The access key that the three services expect.
pub const ACCESS_KEY_ID: &str = "HEADWATERLOCAL";
/// The secret of [`ACCESS_KEY_ID`]. It guards nothing: the services listen on loopback only.
pub const SECRET_ACCESS_KEY: &str = "headwater-local-secret";
/// The region in which the three services claim to be.
pub const REGION: &str = "us-east-1";
