//! What a command is answered with.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::{BatchExecuted, Executed, StreamName, Version};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Problem;
use crate::aggregates::Answer;
use crate::consistency::{CONSISTENCY_TOKEN, ConsistencyToken};
use crate::headers::{IDEMPOTENT_REPLAYED, STREAM_VERSION, tag};
use crate::routes::envelope::Envelope;

/// What a command did.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    /// The stream.
    pub(super) stream: String,
    /// Its version after the command.
    pub(super) version: u64,
    /// The events the command made happen.
    pub(super) events: Vec<Envelope>,
    /// Whether nothing was appended because only a preview was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(super) dry_run: bool,
    /// For each read model named in `Prefer: applied`, whether it has applied the command.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(super) consistency: BTreeMap<String, Applied>,
}

/// Whether a read model has applied a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Applied {
    /// It has.
    Applied,
    /// Not yet; it will.
    Pending,
}

impl Done {
    pub(super) fn new(stream: &StreamName, answer: &Answer) -> Result<Self, Problem> {
        let events = match &answer.commit {
            Some(commit) => commit.recorded().map(Envelope::new).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let (stream, version) = (stream.to_string(), answer.version.0);
        Ok(Self { stream, version, events, dry_run: false, consistency: BTreeMap::new() })
    }
}

/// The status of a command that was carried out.
pub(super) fn status(created: bool) -> StatusCode {
    if created { StatusCode::CREATED } else { StatusCode::OK }
}

/// The headers that go with the version of a stream.
pub(super) fn headers(response: &mut Response, stream: &StreamName, version: Version, replayed: bool) {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag(version));
    headers.insert(STREAM_VERSION, HeaderValue::from(version.0));
    headers.insert(CONSISTENCY_TOKEN, ConsistencyToken::of(stream.clone(), version).header());
    if replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
}

/// Where a stream is found.
pub(super) fn location(stream: &StreamName) -> Option<HeaderValue> {
    let id = percent_encoding::utf8_percent_encode(stream.id(), percent_encoding::NON_ALPHANUMERIC);
    HeaderValue::from_str(&format!("/v1/streams/{}/{id}", stream.category())).ok()
}

/// The answer to a command that a route of the application carried out: as the built-in route answers.
///
/// # Errors
/// [`Problem`] when an event is not JSON, which those of derived types are.
pub fn executed_response<E>(executed: Executed<E>) -> Result<Response, Problem> {
    let stream = executed.stream.clone();
    let answer = Answer::from(executed);
    let done = Done::new(&stream, &answer)?;
    Ok(finished(&stream, &answer, &done))
}

pub(super) fn finished(stream: &StreamName, answer: &Answer, done: &Done) -> Response {
    let mut response = (status(answer.created), axum::Json(done)).into_response();
    headers(&mut response, stream, answer.version, answer.replayed);
    if answer.created
        && let Some(location) = location(stream)
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The answer to a batch that was carried out: the version of every stream after it.
#[must_use]
pub fn batch_response(executed: &BatchExecuted) -> Response {
    let streams: Vec<_> = executed
        .streams
        .iter()
        .map(|(stream, version)| serde_json::json!({"stream": stream.as_str(), "version": version.0}))
        .collect();
    let mut response = axum::Json(serde_json::json!({ "streams": streams })).into_response();
    if let Some(token) = ConsistencyToken::of_all(executed.streams.iter().cloned()) {
        response.headers_mut().insert(CONSISTENCY_TOKEN, token.header());
    }
    if executed.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
