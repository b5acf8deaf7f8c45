//! What an error of the SDK means to whoever asked.

use std::any::Any;
use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::scan::ScanError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ThrottlingReason;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use headwater::store::{Source, StoreError};

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Throttled. Nothing was done; trying later helps.
    #[error("{reason}")]
    Busy {
        /// What was throttled.
        reason: String,
    },
    /// Nothing was done, because AWS could not be asked or did not accept the request.
    #[error("cannot {attempted}")]
    Unavailable {
        /// What was attempted, as an imperative.
        attempted: String,
        /// Why.
        source: Source,
    },
    /// The answer was lost: the write may have been carried out.
    #[error("it is not known whether an attempt to {attempted} was carried out")]
    Lost {
        /// What was attempted, as an imperative.
        attempted: String,
        /// Why.
        source: Source,
    },
}

/// For requests that write no commit: a lost answer is then no more than an attempt that failed.
impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy { reason } => Self::Overloaded { reason, retry_after: None },
            Failure::Unavailable { attempted, source } | Failure::Lost { attempted, source } => {
                Self::Unavailable { attempted, source }
            }
        }
    }
}

/// Why a request was not carried out, in words that say what to do.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(
        "{resource} does not exist in this region and account: make it, or check prefix, region and account"
    )]
    Missing { resource: String },
    #[error(
        "AWS does not accept the credentials ({code}: {message}): check keys, session, region and policy"
    )]
    Denied { code: String, message: String },
    #[error("AWS refused the request ({code}: {message})")]
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
const THROTTLED: [&str; 6] = [
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
];

/// The failure of a request that writes nothing, or that failed before anything could be written. The resource is what
/// the request is about, such as `table shop-ledger`.
#[must_use]
pub fn failure<E>(error: SdkError<E, HttpResponse>, attempted: String, resource: &str) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    if THROTTLED.contains(&code.as_str()) {
        return Failure::Busy { reason: throttled(&error, &attempted, &code) };
    }
    let message = error.message().unwrap_or("no message").to_owned();
    let source: Source = match code.as_str() {
        "" => Box::new(error),
        "ResourceNotFoundException" => Box::new(Cause::Missing { resource: resource.to_owned() }),
        denied if DENIED.contains(&denied) => Box::new(Cause::Denied { code, message }),
        _ if server_error(&error) => Box::new(error),
        _ => Box::new(Cause::Refused { code, message }),
    };
    Failure::Unavailable { attempted, source }
}

/// The failure of a write. `maybe_done` says that an earlier try of the SDK may have been carried out; see
/// [`Attempts`](crate::Attempts).
#[must_use]
pub fn write_failure<E>(
    error: SdkError<E, HttpResponse>,
    attempted: String,
    resource: &str,
    maybe_done: bool,
) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let lost = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        // A token of our own is being carried out by an earlier try.
        _ => server_error(&error) || error.code() == Some("TransactionInProgressException"),
    };
    if lost || maybe_done {
        return Failure::Lost { attempted, source: Box::new(error) };
    }
    failure(error, attempted, resource)
}

fn server_error<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().is_server_error())
}

fn throttled<E>(error: &SdkError<E, HttpResponse>, attempted: &str, code: &str) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let reasons = error.as_service_error().map(|error| reasons(error)).unwrap_or_default();
    let reasons: Vec<&str> = reasons.iter().filter_map(ThrottlingReason::reason).collect();
    let hot = reasons.iter().any(|reason| reason.contains("KeyRange"));
    let what = if hot { "one key is too hot" } else { "AWS throttles" };
    let reasons = if reasons.is_empty() { code.to_owned() } else { reasons.join(", ") };
    format!("{what} while trying to {attempted} ({reasons})")
}

/// What DynamoDB says was throttled, and why.
fn reasons(error: &dyn Any) -> &[ThrottlingReason] {
    macro_rules! of {
        ($($kind:ident),*) => {$(
            if let Some(error) = error.downcast_ref::<$kind>() {
                return match error {
                    $kind::ProvisionedThroughputExceededException(error) => error.throttling_reasons(),
                    $kind::RequestLimitExceeded(error) => error.throttling_reasons(),
                    $kind::ThrottlingException(error) => error.throttling_reasons(),
                    _ => &[],
                };
            }
        )*};
    }
    of!(
        PutItemError,
        UpdateItemError,
        DeleteItemError,
        GetItemError,
        BatchGetItemError,
        QueryError,
        ScanError,
        TransactWriteItemsError
    );
    &[]
}
