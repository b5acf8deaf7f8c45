//! What DynamoDB's errors mean to whoever asked for rows.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use headwater_aws::{Failure, failure, write_failure};
use headwater_projections::rows::RowError;

/// The code of a request that DynamoDB will never accept.
const NEVER: &str = "ValidationException";

/// The error of a request that writes nothing.
pub(super) fn read_error<E>(error: SdkError<E, HttpResponse>, attempted: String, table: &str) -> RowError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let reason = refused(&error, &attempted).map(|reason| RowError::Invalid { reason });
    reason.unwrap_or_else(|| of(failure(error, attempted, &resource(table))))
}

/// The error of a write. What is refused for good is refused for what is in it: expressions and keys are always the same.
pub(super) fn write_error<E>(
    error: SdkError<E, HttpResponse>,
    attempted: String,
    table: &str,
    maybe_done: bool,
) -> RowError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    refused(&error, &attempted)
        .filter(|_| !maybe_done)
        .map(|reason| RowError::Unfit { reason })
        .unwrap_or_else(|| of(write_failure(error, attempted, &resource(table), maybe_done)))
}

/// A failure as an error of rows. An unknown outcome is none of its own: whoever writes rows loads before the next try.
pub(super) fn of(failure: Failure) -> RowError {
    match failure {
        Failure::Busy { reason } => RowError::Overloaded { reason },
        Failure::Unavailable { attempted, source } | Failure::Lost { attempted, source } => {
            RowError::Unavailable { attempted, source }
        }
    }
}

/// An item that cannot be read.
pub(super) fn corrupt(key: &str, reason: impl Into<String>) -> RowError {
    RowError::Corrupt { key: key.to_owned(), reason: reason.into() }
}

fn refused<E: ProvideErrorMetadata>(error: &E, attempted: &str) -> Option<String> {
    let message = error.message().unwrap_or("no message");
    (error.code() == Some(NEVER)).then(|| format!("DynamoDB will not {attempted}: {message}"))
}

fn resource(table: &str) -> String {
    format!("table {table}")
}
