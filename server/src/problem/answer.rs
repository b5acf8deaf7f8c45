//! One problem, and how it is answered.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::ProblemKind;

/// What a client is told when a request was not carried out.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which kind of problem.
    pub kind: ProblemKind,
    /// What is wrong in this case, and what to do.
    pub detail: String,
    /// More members of the answer.
    pub fields: Map<String, Value>,
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

    /// The document that a client gets.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = self.fields.clone();
        body.insert("type".to_owned(), json!(format!("/problems/{}", self.kind.slug())));
        body.insert("title".to_owned(), json!(self.kind.title()));
        body.insert("status".to_owned(), json!(self.kind.status().as_u16()));
        body.insert("detail".to_owned(), json!(self.detail));
        body.entry("retryable").or_insert(json!(self.kind.retry_helps()));
        Value::Object(body)
    }

    /// Seconds after which to ask again, where the kind says that it helps.
    fn retry_after(&self) -> Option<u64> {
        let asked = self.fields.get("retry_after").and_then(Value::as_u64);
        let unavailable = self.kind.status() == axum::http::StatusCode::SERVICE_UNAVAILABLE;
        asked.or((unavailable || self.kind == ProblemKind::ProjectionBehind).then_some(1))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == ProblemKind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
