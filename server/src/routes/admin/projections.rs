//! `/v1/admin/projections`: how projections are doing, pausing and going on.

use axum::Json;
use axum::extract::State;
use headwater_projections::rows::MAX_PAGE_ROWS;
use headwater_projections::{PartitionState, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::partitions::Partition;
use crate::body::JsonBody;
use crate::extract::PathOf;
use crate::{Problem, Services};

/// Longest reason in bytes.
const MAX_REASON_BYTES: usize = 1024;

/// How each projection is doing.
#[derive(Serialize, JsonSchema)]
pub(super) struct List {
    projections: Vec<Shown>,
}

/// How a projection is doing, seen from this process.
#[derive(Serialize, JsonSchema)]
pub(super) struct Shown {
    /// Its name.
    name: String,
    /// The number of the copy of its rows that answers.
    generation: u32,
    /// `paused`; `rebuild-needed` when code of another version made its rows; `unreadable` when a partition cannot be read; `catching-up`; `behind`; `caught-up`; `elsewhere` when other
    /// processes read everything.
    state: String,
    /// How far it is behind in the partitions read here, at most; nothing when that is not known, or it is further
    /// behind than the others.
    lag_seconds: Option<f64>,
    /// Records that were read here and are not done yet.
    in_hand: usize,
    /// Streams that are parked.
    parked: Count,
    /// The partitions of the feed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    partitions: Vec<Partition>,
}

/// A number that was counted up to a limit.
#[derive(Serialize, JsonSchema)]
pub(super) struct Count {
    /// How many.
    count: usize,
    /// Whether there are more.
    more: bool,
}

/// Why something is done; it goes into the log.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// The reason.
    #[schemars(length(min = 1, max = 1024))]
    reason: String,
}

pub(super) async fn list(State(services): State<Services>) -> Result<Json<List>, Problem> {
    let status = services.control.status();
    let mut projections = Vec::new();
    for name in services.read_models.names() {
        projections.push(shown(&services, name, &status).await?);
    }
    Ok(Json(List { projections }))
}

pub(super) async fn one(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
) -> Result<Json<Shown>, Problem> {
    let status = services.control.status();
    let mut shown = shown(&services, &name, &status).await?;
    let partitions = status.partitions.iter();
    let partitions = partitions.map(|(id, status)| Partition::new(id.to_string(), Vec::new(), Some(status)));
    shown.partitions = partitions.collect();
    Ok(Json(shown))
}

pub(super) async fn pause(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Reason { reason }): JsonBody<Reason>,
) -> Result<Json<Shown>, Problem> {
    check_reason(&reason)?;
    services.control.pause(&name)?;
    tracing::info!(projection = name, reason, "paused by order");
    Ok(Json(shown(&services, &name, &services.control.status()).await?))
}

pub(super) async fn resume(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Reason { reason }): JsonBody<Reason>,
) -> Result<Json<Shown>, Problem> {
    check_reason(&reason)?;
    services.control.resume(&name)?;
    tracing::info!(projection = name, reason, "resumed by order");
    Ok(Json(shown(&services, &name, &services.control.status()).await?))
}

/// Refuses a reason that says nothing, or too much.
pub(super) fn check_reason(reason: &str) -> Result<(), Problem> {
    if !reason.trim().is_empty() && reason.len() <= MAX_REASON_BYTES {
        return Ok(());
    }
    Err(Problem::invalid(format!("reason is not valid: say why, in 1 to {MAX_REASON_BYTES} bytes"))
        .with("field", "reason"))
}

async fn shown(services: &Services, name: &str, status: &Status) -> Result<Shown, Problem> {
    let models = &services.read_models;
    let generations = models.generations(name).await?;
    let outdated = generations.version(generations.live) != Some(models.version(name)?);
    let parked = models.parked(name, None, MAX_PAGE_ROWS).await?.len();
    let parked = Count { count: parked, more: parked == MAX_PAGE_ROWS };
    let paused = status.paused.contains(name);
    let partitions = status.partitions.values();
    let late = paused || partitions.clone().any(|partition| partition.late);
    let lag = partitions.clone().filter_map(|partition| partition.behind).max().filter(|_| !late);
    let in_hand = partitions.map(|partition| partition.in_hand).sum();
    let state = match (paused, outdated) {
        (true, _) => "paused",
        (_, true) => "rebuild-needed",
        _ => state(status, late),
    };
    Ok(Shown {
        name: name.to_owned(),
        generation: generations.live,
        state: state.to_owned(),
        lag_seconds: lag.map(|lag| lag.as_secs_f64()),
        in_hand,
        parked,
        partitions: Vec::new(),
    })
}

/// The worst of what becomes of the partitions.
fn state(status: &Status, late: bool) -> &'static str {
    let states = || status.partitions.values().map(|partition| &partition.state);
    if states().any(|state| matches!(state, PartitionState::Unreadable { .. } | PartitionState::Uncovered)) {
        "unreadable"
    } else if states().any(|state| matches!(state, PartitionState::CatchingUp)) {
        "catching-up"
    } else if late
        || states().any(|state| matches!(state, PartitionState::Reading | PartitionState::Starting))
    {
        "behind"
    } else if states().any(|state| matches!(state, PartitionState::CaughtUp)) {
        "caught-up"
    } else {
        "elsewhere"
    }
}
