//! DynamoDB, Kinesis and S3 on loopback, for development and tests.
//!
//! [`Local`] starts the three services of AWS that Headwater uses inside this process, each on a port of 127.0.0.1,
//! and keeps what they are given in one directory. The clients of the AWS SDK talk to them as to AWS: the same
//! requests, the same answers, the same refusals.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), headwater_local::LocalError> {
//! use headwater_local::{Local, Options};
//!
//! let local = Local::start(Options::default()).await?;
//! assert!(local.kinesis_url().starts_with("http://127.0.0.1:"));
//! local.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it is not
//! It is not a production engine and will not become one: one machine, one process, no access control beyond
//! loopback, and no backup. In production the engines are DynamoDB, Kinesis and S3 themselves.
//!
//! # Durability
//! With a directory, what DynamoDB and Kinesis acknowledged survives the end of the process, also by `kill -9`. S3
//! objects are plain files that are not flushed to the disk one by one: they survive the end of the process, and may
//! not survive the end of the machine. Without a directory everything is gone when [`Local`] stops.
//!
//! # Where it differs from AWS
//! Nothing is throttled, and Kinesis refuses the operations that Headwater does not need, such as tags, as unknown. Reads of DynamoDB are always consistent, and its time to live deletes nothing. S3 keys are
//! paths: a key cannot also be the prefix of another one, and keys stay below about 150 bytes; a conditional GET is
//! answered as if it had no condition.

mod directory;
mod dynamodb;
mod error;
mod kinesis;
mod local;
mod options;
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
