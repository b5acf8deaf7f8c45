//! `GET /v1/streams/{category}/{id}` and `…/state`: what is known of a stream, and its folded state.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::store::Read;
use headwater::{StreamName, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::extract::{PathOf, QueryOf};
use crate::headers::{STREAM_VERSION, has, tag};
use crate::{Problem, ProblemKind, Services};

#[derive(Serialize)]
struct Metadata {
    stream: String,
    version: u64,
    first_recorded_at: headwater::Timestamp,
    last_recorded_at: headwater::Timestamp,
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let store = services.executor.store();
    let first = store.read(&stream, Read::all().limit(1)).await?.commits;
    let last = store.read(&stream, Read::backward().limit(1)).await?.commits;
    let (Some(first), Some(last)) = (first.first(), last.first()) else {
        return Err(no_stream(&stream));
    };
    let body = Metadata {
        stream: stream.to_string(),
        version: last.last().0,
        first_recorded_at: first.recorded_at,
        last_recorded_at: last.recorded_at,
    };
    Ok(versioned(&headers, last.last(), axum::Json(body)))
}

/// What a state may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    version: Option<u64>,
}

#[derive(Serialize)]
struct Folded {
    stream: String,
    version: u64,
    data: Box<RawValue>,
}

pub(super) async fn state(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    QueryOf(wanted): QueryOf<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let aggregate = services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let version = wanted.version.map(Version);
    if version == Some(Version::EMPTY) {
        return Err(Problem::invalid("version 0 has no state: versions start at 1"));
    }
    let (reached, state) = aggregate.state(&services.executor, &id, version).await?;
    match version {
        _ if reached.is_empty() => return Err(no_stream(&stream)),
        Some(version) if reached < version => {
            let detail = format!("stream {stream} has no version {version} yet: it is at {reached}");
            return Err(Problem::not_found(detail).with("current_version", reached.0));
        }
        _ => {}
    }
    let data = RawValue::from_string(state)
        .map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))?;
    let body = Folded { stream: stream.to_string(), version: reached.0, data };
    Ok(versioned(&headers, reached, axum::Json(body)))
}

fn no_stream(stream: &StreamName) -> Problem {
    Problem::not_found(format!("stream {stream} has no events: send it a command first"))
        .with("current_version", 0)
}

/// An answer with its version, or 304 when the client has it.
fn versioned(headers: &HeaderMap, version: Version, body: impl IntoResponse) -> Response {
    let tag = tag(version);
    let mut response = match has(headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => body.into_response(),
    };
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(STREAM_VERSION, HeaderValue::from(version.0));
    response
}
