//! `GET /v1/streams/{category}/{id}`: what is known of a stream, and answers that carry its version.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::store::Read;
use headwater::{StreamName, Timestamp, Version};
use schemars::JsonSchema;
use serde::Serialize;

use crate::extract::PathOf;
use crate::headers::{STREAM_VERSION, has, tag};
use crate::{Problem, Services};

/// What is known of a stream.
#[derive(Serialize, JsonSchema)]
pub(super) struct Metadata {
    /// Its name.
    stream: String,
    /// Its version: the number of its events.
    version: u64,
    /// When its first commit was decided.
    #[schemars(with = "String", extend("format" = "date-time"))]
    first_recorded_at: Timestamp,
    /// When its last commit was decided.
    #[schemars(with = "String", extend("format" = "date-time"))]
    last_recorded_at: Timestamp,
    /// The version of its newest snapshot among its last commits, if there is one.
    snapshot_version: Option<u64>,
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let aggregate = services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let store = services.executor.store();
    let first = store.read(&stream, Read::all().limit(1)).await?.commits;
    let last = match aggregate.snapshots() {
        Some(schema) => store.read(&stream, Read::backward().stop_at_snapshot(schema)).await?.commits,
        None => store.read(&stream, Read::backward().limit(1)).await?.commits,
    };
    let (Some(first), Some(newest), Some(oldest)) = (first.first(), last.first(), last.last()) else {
        return Err(no_stream(&stream));
    };
    let snapshot = oldest.snapshot.as_ref().filter(|snapshot| Some(snapshot.schema) == aggregate.snapshots());
    let body = Metadata {
        stream: stream.to_string(),
        version: newest.last().0,
        first_recorded_at: first.recorded_at,
        last_recorded_at: newest.recorded_at,
        snapshot_version: snapshot.map(|_| oldest.last().0),
    };
    Ok(versioned(&headers, newest.last(), axum::Json(body)))
}

pub(super) fn no_stream(stream: &StreamName) -> Problem {
    Problem::not_found(format!("stream {stream} has no events: send it a command first"))
        .with("current_version", 0)
}

/// An answer with its version, or 304 when the client has it.
pub(super) fn versioned(headers: &HeaderMap, version: Version, body: impl IntoResponse) -> Response {
    let tag = tag(version);
    let mut response = match has(headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => body.into_response(),
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(STREAM_VERSION, HeaderValue::from(version.0));
    response
}
