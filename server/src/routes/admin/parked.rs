//! `/v1/admin/parked`: streams that a projection cannot apply for now.

use axum::Json;
use axum::extract::State;
use headwater::StreamName;
use headwater_projections::rows::MAX_PAGE_ROWS;
use headwater_projections::{Parked, ParkedGroup};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extract::QueryOf;
use crate::{Problem, Services};

/// Streams of a page unless the client asks for fewer.
const PAGE_STREAMS: usize = 100;

/// Which parked streams are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The projection.
    projection: String,
    /// The stream behind which the page begins: the last one of the page before.
    after: Option<String>,
    /// Most streams of the page: 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// Of which projection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The projection.
    projection: String,
}

/// A page of parked streams.
#[derive(Serialize, JsonSchema)]
pub(super) struct List {
    /// The projection.
    projection: String,
    /// The streams, by name.
    parked: Vec<Stream>,
    /// `after` of the next page, if there may be one.
    next: Option<String>,
}

/// A parked stream.
#[derive(Serialize, JsonSchema)]
pub(super) struct Stream {
    /// The stream.
    stream: String,
    /// The version that could not be applied.
    first_failing: u64,
    /// The highest version that was seen since.
    highest: u64,
    /// What kind of error it is.
    kind: String,
    /// The error.
    message: String,
    /// How often it was tried.
    attempts: u32,
    /// Which group of errors it belongs to.
    fingerprint: String,
}

/// Parked streams by their error.
#[derive(Serialize, JsonSchema)]
pub(super) struct Groups {
    /// The projection.
    projection: String,
    /// The groups, those with the most streams first.
    groups: Vec<Group>,
    /// Whether every parked stream was looked at.
    complete: bool,
}

/// The streams that are parked for one reason.
#[derive(Serialize, JsonSchema)]
pub(super) struct Group {
    /// What names the group.
    fingerprint: String,
    /// How many streams.
    streams: u64,
    /// How many of their events wait, as far as is known.
    events: u64,
    /// One of the streams.
    example: Stream,
}

pub(super) async fn list(
    State(services): State<Services>,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Json<List>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE_STREAMS);
    if !(1..=MAX_PAGE_ROWS).contains(&limit) {
        return Err(Problem::invalid(format!("limit {limit} is not valid: give 1 to {MAX_PAGE_ROWS}")));
    }
    let after = wanted.after.as_deref().map(StreamName::parse).transpose()?;
    let parked = services.control.parked(&wanted.projection, after.as_ref(), limit).await?;
    let next = parked.last().filter(|_| parked.len() == limit).map(|last| last.stream.to_string());
    let parked = parked.iter().map(|parked| Stream::new(&wanted.projection, parked)).collect();
    Ok(Json(List { projection: wanted.projection, parked, next }))
}

pub(super) async fn groups(
    State(services): State<Services>,
    QueryOf(Which { projection }): QueryOf<Which>,
) -> Result<Json<Groups>, Problem> {
    let found = services.control.parked_groups(&projection).await?;
    let groups = found.groups.iter().map(|group| Group::new(&projection, group)).collect();
    Ok(Json(Groups { projection, groups, complete: found.complete }))
}

impl Stream {
    fn new(projection: &str, parked: &Parked) -> Self {
        let kind = serde_json::to_value(parked.cause.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("unknown").to_owned();
        Self {
            stream: parked.stream.to_string(),
            first_failing: parked.first_failing.0,
            highest: parked.highest.0,
            kind,
            message: parked.cause.message.clone(),
            attempts: parked.attempts,
            fingerprint: parked.fingerprint(projection).to_string(),
        }
    }
}

impl Group {
    fn new(projection: &str, group: &ParkedGroup) -> Self {
        let fingerprint = group.fingerprint.to_string();
        let example = Stream::new(projection, &group.example);
        Self { fingerprint, streams: group.streams, events: group.events, example }
    }
}
