//! Problems: every error a client can get, one enum, rendered as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::codec::CommandError;
use headwater::execute::ErasedRefusal;
use headwater::store::{ErrorKind, Invalid, StoreError};
use headwater::{ExecuteError, NameError};
use headwater_projections::ReadError;
use headwater_projections::rows::RowError;
use serde_json::{Map, Value, json};

/// What a client is told when a request was not carried out.
#[derive(Debug)]
pub struct Problem {
    /// Which kind of problem.
    pub kind: ProblemKind,
    /// What is wrong in this case, and what to do.
    pub detail: String,
    /// More members of the answer.
    pub fields: Map<String, Value>,
}

/// The catalogue: slug, status and title of every problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A header, parameter, name or JSON document is not valid.
    InvalidRequest,
    /// There is nothing under this address.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// The stream has changed under a command that expected nothing, again and again.
    ConcurrentModification,
    /// The stream is not as the client expected.
    PreconditionFailed,
    /// The request or the commit is too large.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The rules do not allow the command.
    CommandRejected,
    /// The key was used for another command.
    IdempotencyKeyReused,
    /// Something stored cannot be read.
    Unreadable,
    /// The store takes no more for now.
    Overloaded,
    /// The store cannot be reached.
    Unavailable,
    /// The command may have been carried out.
    OutcomeUnknown,
    /// The body of the request did not come in time.
    RequestTimeout,
    /// It took too long, and nothing was written.
    DeadlineExceeded,
    /// Nobody knows who is asking.
    Unauthenticated,
    /// Whoever asks may not.
    Forbidden,
}

impl ProblemKind {
    /// Slug, status and title.
    #[must_use]
    pub fn describe(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => ("invalid-request", StatusCode::BAD_REQUEST, "The request is not valid"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take this method",
            ),
            Self::ConcurrentModification => {
                ("concurrent-modification", StatusCode::CONFLICT, "Others changed the stream again and again")
            }
            Self::PreconditionFailed => {
                ("precondition-failed", StatusCode::PRECONDITION_FAILED, "The stream is not as expected")
            }
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be JSON")
            }
            Self::CommandRejected => {
                ("command-rejected", StatusCode::UNPROCESSABLE_ENTITY, "The rules do not allow the command")
            }
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The key was used for another command",
            ),
            Self::Unreadable => (
                "unreadable",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something cannot be read or written as it should",
            ),
            Self::Overloaded => {
                ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "The server takes no more for now")
            }
            Self::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The store cannot be reached")
            }
            Self::OutcomeUnknown => {
                ("outcome-unknown", StatusCode::GATEWAY_TIMEOUT, "The command may have been carried out")
            }
            Self::RequestTimeout => {
                ("request-timeout", StatusCode::REQUEST_TIMEOUT, "The request did not come in time")
            }
            Self::DeadlineExceeded => {
                ("deadline-exceeded", StatusCode::GATEWAY_TIMEOUT, "The answer took too long")
            }
            Self::Unauthenticated => {
                ("unauthenticated", StatusCode::UNAUTHORIZED, "The request does not say who asks")
            }
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Whoever asks may not do this"),
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn retry_helps(self) -> bool {
        matches!(
            self,
            Self::ConcurrentModification
                | Self::Overloaded
                | Self::Unavailable
                | Self::OutcomeUnknown
                | Self::RequestTimeout
                | Self::DeadlineExceeded
        )
    }
}

impl Problem {
    /// A problem without more members.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fields: Map::new() }
    }

    /// A request that is not valid.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidRequest, detail)
    }

    /// Something that is not there.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    /// A request that took longer than the server waits. `may_write` says whether it may have changed something.
    #[must_use]
    pub fn deadline(may_write: bool, limit: std::time::Duration) -> Self {
        let limit = limit.as_secs_f64();
        if may_write {
            let detail = format!("the command took longer than {limit} s and may have been carried out");
            return Self::new(ProblemKind::OutcomeUnknown, detail).with("outcome", "unknown");
        }
        Self::new(ProblemKind::DeadlineExceeded, format!("the answer took longer than {limit} s"))
    }

    /// The same for a command that came without a key: sending it again might carry it out twice.
    #[must_use]
    pub(crate) fn without_key(mut self) -> Self {
        if self.kind != ProblemKind::OutcomeUnknown {
            return self;
        }
        self.detail
            .push_str("; it came without Idempotency-Key, so read the stream before you send it again");
        self.with("retryable", false)
    }

    /// The same with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (slug, status, title) = self.kind.describe();
        let mut body = self.fields;
        body.insert("type".to_owned(), json!(format!("/problems/{slug}")));
        body.insert("title".to_owned(), json!(title));
        body.insert("status".to_owned(), json!(status.as_u16()));
        body.insert("detail".to_owned(), json!(self.detail));
        body.entry("retryable").or_insert(json!(self.kind.retry_helps()));
        let mut response = (status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::UnknownName { .. } => Self::not_found(error.to_string()),
            CommandError::Content { ref path, .. } => {
                let path = path.clone();
                Self::invalid(error.to_string()).with("field", path)
            }
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Conflict => ProblemKind::ConcurrentModification,
            ErrorKind::Invalid => ProblemKind::TooLarge,
            ErrorKind::Overloaded => ProblemKind::Overloaded,
            ErrorKind::OutcomeUnknown => ProblemKind::OutcomeUnknown,
            ErrorKind::Corrupt => ProblemKind::Unreadable,
            ErrorKind::Position => ProblemKind::InvalidRequest,
            _ => ProblemKind::Unavailable,
        };
        let kind = match &error {
            // Naming a stream twice is the client's mistake, not a matter of size.
            StoreError::Invalid(Invalid::StreamTwice { .. } | Invalid::EmptyTransaction) => {
                ProblemKind::InvalidRequest
            }
            _ => kind,
        };
        if matches!(kind, ProblemKind::Unreadable | ProblemKind::Unavailable) {
            tracing::error!(error = ?error, "the store failed");
        }
        let problem = Self::new(kind, error.to_string());
        match kind {
            ProblemKind::OutcomeUnknown => problem.with("outcome", "unknown"),
            _ => problem,
        }
    }
}

impl From<ExecuteError<ErasedRefusal>> for Problem {
    fn from(error: ExecuteError<ErasedRefusal>) -> Self {
        let detail = error.to_string();
        match error {
            ExecuteError::Refused { refusal, version } => Self::new(ProblemKind::CommandRejected, detail)
                .with("code", refusal.code)
                .with("refusal", refusal.fields)
                .with("current_version", version.0),
            ExecuteError::Precondition { stream, expected, actual, events_since } => {
                let problem = Self::new(ProblemKind::PreconditionFailed, detail)
                    .with("stream", stream.as_str())
                    .with("current_version", actual.0)
                    .with("events_since", events_since);
                match expected {
                    headwater::Expected::Exact(version) => problem.with("expected_version", version.0),
                    other => problem.with("expected", other.to_string()),
                }
            }
            ExecuteError::KeyReused { first, .. } => {
                Self::new(ProblemKind::IdempotencyKeyReused, detail).with("first_version", first.0)
            }
            ExecuteError::Contended { .. } => Self::new(ProblemKind::ConcurrentModification, detail),
            ExecuteError::Store(error) => error.into(),
            ExecuteError::Undecodable(error) => {
                tracing::error!(error = ?error, "an event cannot be decoded");
                Self::new(ProblemKind::Unreadable, detail)
            }
            other => {
                tracing::error!(error = ?other, "a command failed");
                Self::new(ProblemKind::Unreadable, detail)
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::UnknownProjection { .. } | ReadError::NotRead { .. } => ProblemKind::NotFound,
            ReadError::TooManyWaiters { .. } => ProblemKind::Overloaded,
            ReadError::UnknownIndex { .. } | ReadError::Rows(RowError::Invalid { .. }) => {
                ProblemKind::InvalidRequest
            }
            ReadError::Rows(RowError::Corrupt { .. }) => ProblemKind::Unreadable,
            _ => ProblemKind::Unavailable,
        };
        if matches!(kind, ProblemKind::Unavailable | ProblemKind::Unreadable) {
            tracing::error!(error = ?error, "the row store failed");
        }
        Self::new(kind, error.to_string())
    }
}
