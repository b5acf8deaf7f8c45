//! `GET /v1/streams/{category}/{id}/state`: the folded state, now or at an earlier moment.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use headwater::{StreamName, Timestamp, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::metadata::{no_stream, versioned};
use crate::aggregates::At;
use crate::extract::{PathOf, QueryOf};
use crate::{Problem, ProblemKind, Services};

/// What a state may be asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The state after this event.
    #[schemars(range(min = 1))]
    version: Option<u64>,
    /// The state at this time (RFC 3339).
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    at: Option<Timestamp>,
}

/// A state.
#[derive(Serialize, JsonSchema)]
pub(super) struct Folded {
    /// The stream.
    stream: String,
    /// The version it was folded to.
    version: u64,
    /// The state.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    QueryOf(wanted): QueryOf<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let aggregate = services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let at = match (wanted.version, wanted.at) {
        (Some(_), Some(_)) => return Err(Problem::invalid("give version or at, not both")),
        (Some(0), None) => {
            return Err(Problem::invalid("version 0 has no state: versions start at 1"));
        }
        (Some(version), None) => At::Version(Version(version)),
        (None, Some(time)) => At::Time(time),
        (None, None) => At::Head,
    };
    let (reached, state) = aggregate.state(&services.executor, &id, at).await?;
    match at {
        At::Time(time) if reached.is_empty() => {
            let detail = format!("stream {stream} had no events at {time}");
            return Err(Problem::not_found(detail));
        }
        _ if reached.is_empty() => return Err(no_stream(&stream)),
        At::Version(version) => must_reach(&stream, version, reached)?,
        _ => {}
    }
    let data = RawValue::from_string(state)
        .map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))?;
    let body = Folded { stream: stream.to_string(), version: reached.0, data };
    Ok(versioned(&headers, reached, axum::Json(body)))
}

pub(super) fn must_reach(stream: &StreamName, wanted: Version, reached: Version) -> Result<(), Problem> {
    if reached >= wanted {
        return Ok(());
    }
    let detail = format!("stream {stream} has no version {wanted} yet: it is at {reached}");
    Err(Problem::not_found(detail).with("current_version", reached.0))
}
