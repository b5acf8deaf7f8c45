//! What DynamoDB's errors mean to whoever asked: the ledger's own error, and its one way into [`StoreError`].

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_table::UpdateTableError;
use aws_sdk_dynamodb::types::ThrottlingReason;
use headwater::store::{Conflict, Invalid, Source, StoreError};
use headwater::{CommitId, StreamName, Version};

/// What went wrong, as the ledger sees it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The stream is not as expected.
    Conflict(Box<Conflict>),
    /// Over a limit; nothing was sent.
    Invalid(Invalid),
    /// Throttled, or busy with other writers.
    Busy { reason: String },
    /// Nothing was done, because the table could not be asked or did not accept the request.
    Unavailable { attempted: String, source: Source },
    /// An answer was lost.
    Unknown { stream: StreamName, commit: CommitId, source: Source },
    /// An item that cannot be understood, or one that is not there.
    Corrupt { stream: StreamName, version: Version, reason: String },
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict(conflict) => Self::Conflict(conflict),
            Fault::Invalid(invalid) => Self::Invalid(invalid),
            Fault::Busy { reason } => Self::Overloaded { reason, retry_after: None },
            Fault::Unavailable { attempted, source } => Self::Unavailable { attempted, source },
            Fault::Unknown { stream, commit, source } => Self::OutcomeUnknown { stream, commit, source },
            Fault::Corrupt { stream, version, reason } => Self::Corrupt { stream, version, reason },
        }
    }
}

/// Why a request was not carried out, in words that say what to do.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(
        "table {table} does not exist in this region and account: make it, or check prefix, region and account"
    )]
    MissingTable { table: String },
    #[error(
        "AWS does not accept the credentials ({code}: {message}): check keys, session, region and policy"
    )]
    Denied { code: String, message: String },
    #[error("DynamoDB refused the request ({code}: {message})")]
    Refused { code: String, message: String },
}

/// Codes that mean "not you", or "not like this".
const DENIED: [&str; 8] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
];

/// Codes that mean "not so fast".
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "LimitExceededException",
];

/// Errors of operations that may say what was throttled.
pub(crate) trait Throttling: ProvideErrorMetadata + Error + Send + Sync + 'static {
    /// What was throttled and why.
    fn reasons(&self) -> &[ThrottlingReason] {
        &[]
    }
}

macro_rules! throttling {
    ($($error:ident),*) => {$(
        impl Throttling for $error {
            fn reasons(&self) -> &[ThrottlingReason] {
                match self {
                    Self::ProvisionedThroughputExceededException(error) => error.throttling_reasons(),
                    Self::RequestLimitExceeded(error) => error.throttling_reasons(),
                    Self::ThrottlingException(error) => error.throttling_reasons(),
                    _ => &[],
                }
            }
        }
    )*};
}
throttling!(PutItemError, QueryError, TransactWriteItemsError);
impl Throttling for CreateTableError {}
impl Throttling for DescribeTableError {}
impl Throttling for UpdateTableError {}

/// The fault of a request that writes nothing, or that failed before anything could be written.
pub(crate) fn fault<E: Throttling>(
    error: SdkError<E, HttpResponse>,
    attempted: String,
    table: &str,
) -> Fault {
    let code = error.code().unwrap_or_default().to_owned();
    if THROTTLED.contains(&code.as_str()) {
        return Fault::Busy { reason: throttled(&error, &attempted, &code) };
    }
    let message = error.message().unwrap_or("no message").to_owned();
    let source: Source = match code.as_str() {
        "" => Box::new(error),
        "ResourceNotFoundException" => Box::new(Cause::MissingTable { table: table.to_owned() }),
        denied if DENIED.contains(&denied) => Box::new(Cause::Denied { code, message }),
        _ if server_error(&error) => Box::new(error),
        _ => Box::new(Cause::Refused { code, message }),
    };
    Fault::Unavailable { attempted, source }
}

/// The fault of a write. `maybe_done` says that an earlier try of the SDK may have been carried out.
pub(crate) fn write_fault<E: Throttling>(
    error: SdkError<E, HttpResponse>,
    table: &str,
    stream: &StreamName,
    commit: CommitId,
    maybe_done: bool,
) -> Fault {
    let lost = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        // Our own token is being carried out by an earlier try.
        _ => server_error(&error) || error.code() == Some("TransactionInProgressException"),
    };
    if lost || maybe_done {
        return Fault::Unknown { stream: stream.clone(), commit, source: Box::new(error) };
    }
    fault(error, format!("append to {stream}"), table)
}

fn server_error<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().is_server_error())
}

fn throttled<E: Throttling>(error: &SdkError<E, HttpResponse>, attempted: &str, code: &str) -> String {
    let reasons = error.as_service_error().map(Throttling::reasons).unwrap_or_default();
    let reasons: Vec<&str> = reasons.iter().filter_map(ThrottlingReason::reason).collect();
    let hot = reasons.iter().any(|reason| reason.contains("KeyRange"));
    let what = if hot { "one stream is too hot" } else { "DynamoDB throttles" };
    let reasons = if reasons.is_empty() { code.to_owned() } else { reasons.join(", ") };
    format!("{what} while trying to {attempted} ({reasons})")
}
