//! What can be chosen about the local services.

use std::{path::PathBuf, time::Duration};

/// What can be chosen about [`Local`](crate::Local); the default keeps nothing and takes any free ports.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The directory that keeps everything, made when absent; `None` keeps nothing beyond the life of the services.
    pub data_dir: Option<PathBuf>,
    /// The port of DynamoDB; 0 takes the one of the last start in this directory if it is free, otherwise any.
    pub dynamodb_port: u16,
    /// The port of Kinesis; 0 as for DynamoDB.
    pub kinesis_port: u16,
    /// The port of S3; 0 as for DynamoDB.
    pub s3_port: u16,
    /// How long a stream of Kinesis stays CREATING or UPDATING, and a consumer CREATING. On AWS these are seconds.
    pub transition: Duration,
    /// Whether Kinesis keeps to the limits of AWS for each shard: 1,000 records and 1 MiB written, and five
    /// `GetRecords`, in a second. What is above is refused with `ProvisionedThroughputExceededException`, in
    /// `PutRecords` record by record.
    pub kinesis_limits: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_dir: None,
            dynamodb_port: 0,
            kinesis_port: 0,
            s3_port: 0,
            transition: Duration::from_millis(50),
            kinesis_limits: false,
        }
    }
}

impl Options {
    /// Services that keep what they are given in this directory.
    #[must_use]
    pub fn durable(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: Some(data_dir.into()), ..Self::default() }
    }
}
