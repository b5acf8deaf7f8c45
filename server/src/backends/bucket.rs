//! The bucket of the archive: whether it is there and ours, and making it.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::connect::Connection;

/// How the bucket is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// It does not exist. [`apply`] makes it.
    Missing { bucket: String },
    /// It exists, and this account may not use it: another account has the name, or a policy forbids it.
    Forbidden { bucket: String },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { bucket } => write!(f, "bucket {bucket} does not exist"),
            Self::Forbidden { bucket } => write!(
                f,
                "bucket {bucket} may not be used: another account has the name, or a policy forbids it"
            ),
        }
    }
}

/// Why the bucket could not be looked at or made.
#[derive(Debug, thiserror::Error)]
#[error("bucket {bucket} cannot be {attempted}")]
pub(crate) struct BucketError {
    bucket: String,
    attempted: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What differs. Nothing means that the bucket can be used.
pub(crate) async fn check(connection: &Connection) -> Result<Option<Difference>, BucketError> {
    let bucket = connection.place.names.bucket.clone();
    let error = match connection.s3.head_bucket().bucket(&bucket).send().await {
        Ok(_) => return Ok(None),
        Err(error) => error,
    };
    // An answer to HEAD has no body, so the status is all there is.
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(404) => Ok(Some(Difference::Missing { bucket })),
        Some(403 | 301) => Ok(Some(Difference::Forbidden { bucket })),
        _ => Err(BucketError { bucket, attempted: "looked at", source: Box::new(error) }),
    }
}

/// Makes the bucket if it is missing. Gives what it changed.
pub(crate) async fn apply(connection: &Connection) -> Result<Option<Difference>, BucketError> {
    let found = check(connection).await?;
    let Some(Difference::Missing { bucket }) = &found else { return Ok(None) };
    let request = connection.s3.create_bucket().bucket(bucket);
    // The oldest region is the one that may not be named.
    let request = match connection.place.region.as_str() {
        "us-east-1" => request,
        region => request.create_bucket_configuration(
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build(),
        ),
    };
    match request.send().await {
        Ok(_) => Ok(found),
        // Another process made it at the same time.
        Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(None),
        Err(error) => Err(BucketError { bucket: bucket.clone(), attempted: "made", source: Box::new(error) }),
    }
}
