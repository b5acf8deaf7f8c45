//! `POST /v1/streams/{category}/{id}/commands/{name}`: one command.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::{BatchExecuted, StreamName};
use serde::Serialize;

use super::events::Envelope;
use crate::body::JsonBytes;
use crate::extract::{NoParameters, PathOf, QueryOf};
use crate::headers::{IDEMPOTENT_REPLAYED, STREAM_VERSION, options_from, tag};
use crate::{Problem, Services};

/// What a command did.
#[derive(Serialize)]
struct Done<'a> {
    stream: &'a str,
    version: u64,
    events: Vec<Envelope>,
}

pub(super) async fn post(
    State(services): State<Services>,
    PathOf((category, id, name)): PathOf<(String, String, String)>,
    QueryOf(NoParameters {}): QueryOf<NoParameters>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let aggregate = services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let options = options_from(&headers)?;
    let answer = aggregate.execute(&services.executor, &id, &name, &body, &options).await;
    let answer =
        answer.map_err(|problem| if options.key.is_none() { problem.without_key() } else { problem })?;
    if let Some(commit) = answer.commit.as_ref().filter(|_| !answer.replayed) {
        tracing::debug!(commit = %commit.id, version = answer.version.0, command = name, "carried out");
    }
    let events = match &answer.commit {
        Some(commit) => commit.recorded().map(Envelope::new).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let status = if answer.created { StatusCode::CREATED } else { StatusCode::OK };
    let done = Done { stream: stream.as_str(), version: answer.version.0, events };
    let mut response = (status, axum::Json(done)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag(answer.version));
    headers.insert(STREAM_VERSION, HeaderValue::from(answer.version.0));
    if answer.replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    if answer.created
        && let Ok(location) = HeaderValue::from_str(&format!("/v1/streams/{category}/{}", encoded(&id)))
    {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

/// An id as a path segment.
fn encoded(id: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC)
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
    if executed.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
