//! `/v1/admin/projections`: how projections are doing, pausing and going on.

use axum::Json;
use axum::extract::State;
use headwater_projections::ProjectionStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::JsonBody;
use crate::extract::PathOf;
use crate::{Problem, Services};

/// Longest reason in bytes.
const MAX_REASON_BYTES: usize = 1024;

/// How each projection and reactor is doing, seen from this process.
#[derive(Serialize, JsonSchema)]
pub(super) struct List {
    projections: Vec<ProjectionStatus>,
}

/// Why something is done; it goes into the log.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// The reason.
    #[schemars(length(min = 1, max = 1024))]
    pub(super) reason: String,
}

pub(super) async fn list(State(services): State<Services>) -> Result<Json<List>, Problem> {
    let mut projections = services.seen().projections().await?;
    projections.iter_mut().for_each(|projection| projection.partitions.clear());
    Ok(Json(List { projections }))
}

pub(super) async fn one(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
) -> Result<Json<ProjectionStatus>, Problem> {
    Ok(Json(services.seen().projection(&name).await?))
}

pub(super) async fn pause(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Reason { reason }): JsonBody<Reason>,
) -> Result<Json<ProjectionStatus>, Problem> {
    check_reason(&reason)?;
    let readers = services.readers()?;
    readers.pause(&name)?;
    tracing::info!(projection = name, reason, "paused by order");
    Ok(Json(readers.projection(&name).await?))
}

pub(super) async fn resume(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Reason { reason }): JsonBody<Reason>,
) -> Result<Json<ProjectionStatus>, Problem> {
    check_reason(&reason)?;
    let readers = services.readers()?;
    readers.resume(&name)?;
    tracing::info!(projection = name, reason, "resumed by order");
    Ok(Json(readers.projection(&name).await?))
}

/// Refuses a reason that says nothing, or too much.
pub(super) fn check_reason(reason: &str) -> Result<(), Problem> {
    if !reason.trim().is_empty() && reason.len() <= MAX_REASON_BYTES {
        return Ok(());
    }
    Err(Problem::invalid(format!("reason is not valid: say why, in 1 to {MAX_REASON_BYTES} bytes"))
        .with("field", "reason"))
}
