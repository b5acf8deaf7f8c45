//! `GET /v1/streams/{category}/{id}/diff`: what changed between two versions.

use axum::Json;
use axum::extract::State;
use headwater::store::Read;
use headwater::{StreamName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Envelope;
use super::state::must_reach;
use crate::aggregates::At;
use crate::extract::{PathOf, QueryOf};
use crate::{Problem, ProblemKind, Services};

/// Most events between the two versions.
const MAX_EVENTS: u64 = 1_000;

/// Which versions are compared.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The earlier version; 0 is the state that everything starts from.
    from: u64,
    /// The later version.
    #[schemars(range(min = 1))]
    to: u64,
}

/// What changed between two versions.
#[derive(Serialize, JsonSchema)]
pub(super) struct Diff {
    /// The stream.
    stream: String,
    /// The earlier version.
    from: u64,
    /// The later version.
    to: u64,
    /// What makes the later state of the earlier one, as RFC 6902 has it.
    #[schemars(with = "Vec<Value>")]
    patch: json_patch::Patch,
    /// The events between: those after `from`, up to and with `to`.
    events: Vec<Envelope>,
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    QueryOf(Wanted { from, to }): QueryOf<Wanted>,
) -> Result<Json<Diff>, Problem> {
    let aggregate = services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    if from >= to || to - from > MAX_EVENTS {
        let detail = format!("from {from} to {to} is not valid: from comes before to, {MAX_EVENTS} at most");
        return Err(Problem::invalid(detail));
    }
    let read = |version: u64| aggregate.state(&services.executor, &id, At::Version(Version(version)));
    let ((_, earlier), (reached, later)) = futures::try_join!(read(from), read(to))?;
    must_reach(&stream, Version(to), reached)?;
    let value = |state: &str| -> Result<Value, Problem> {
        serde_json::from_str(state).map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))
    };
    let patch = json_patch::diff(&value(&earlier)?, &value(&later)?);
    let store = services.executor.store();
    let mut events = Vec::new();
    let mut next = Some(Read::after(Version(from)).until(Version(to)));
    while let Some(read) = next {
        let page = store.read(&stream, read.clone()).await?;
        let recorded = page.commits.iter().flat_map(|commit| commit.recorded());
        for event in recorded.filter(|event| event.version().0 > from && event.version().0 <= to) {
            events.push(Envelope::new(event)?);
        }
        next = read.following(&page);
    }
    Ok(Json(Diff { stream: stream.to_string(), from, to, patch, events }))
}
