//! `/v1/admin/projections/{projection}/promote` and `rollback`: which generation of a read model is live.
//!
//! The rebuild before it: `rebuilds.rs`.

use axum::Json;
use axum::extract::State;
use headwater_projections::backfill::{BackfillError, SwitchError};
use headwater_projections::group::{GenerationError, Generations, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::projections::check_reason;
use crate::body::JsonBody;
use crate::extract::PathOf;
use crate::{Problem, ProblemKind, Services};

/// The generations of a read model.
#[derive(Serialize, JsonSchema)]
pub(super) struct Switched {
    /// The read model.
    projection: String,
    /// The number of the generation that answers.
    live: u32,
    /// Every generation.
    generations: Vec<One>,
}

/// One full copy of a read model's rows.
#[derive(Serialize, JsonSchema)]
pub(super) struct One {
    /// Its number.
    generation: u32,
    /// The version of the projection whose code made it.
    version: u32,
    /// Whether it answers.
    live: bool,
    /// Whether a backfill is filling it; it cannot be promoted then.
    filling: bool,
}

/// Which generation is to be live.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promote {
    /// Its number.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    generation: u32,
    /// Whether it may be behind the live one, so that queries see older rows.
    #[serde(default)]
    force: bool,
    /// Why; it goes into the log.
    #[schemars(length(min = 1, max = 1024))]
    reason: String,
}

/// Going back to the generation before the live one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    /// Whether it may be behind the live one, so that queries see older rows.
    #[serde(default)]
    force: bool,
    /// Why; it goes into the log.
    #[schemars(length(min = 1, max = 1024))]
    reason: String,
}

pub(super) async fn promote(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Promote { generation, force, reason }): JsonBody<Promote>,
) -> Result<Json<Switched>, Problem> {
    check_reason(&reason)?;
    services.read_models.version(&name)?;
    let all = services.read_models.switch().promote(&name, generation, force).await?;
    tracing::info!(projection = name, generation, force, reason, "promoted by order");
    Ok(Json(all.into()))
}

pub(super) async fn rollback(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    JsonBody(Rollback { force, reason }): JsonBody<Rollback>,
) -> Result<Json<Switched>, Problem> {
    check_reason(&reason)?;
    services.read_models.version(&name)?;
    let all = services.read_models.switch().rollback(&name, force).await?;
    tracing::info!(projection = name, generation = all.live, force, reason, "rolled back by order");
    Ok(Json(all.into()))
}

impl From<Generations> for Switched {
    fn from(all: Generations) -> Self {
        let one = |(number, made): (&u32, &headwater_projections::group::Made)| One {
            generation: *number,
            version: made.version,
            live: *number == all.live,
            filling: made.stage == Stage::Filling,
        };
        let generations = all.made.iter().map(one).collect();
        Self { projection: all.projection.to_string(), live: all.live, generations }
    }
}

impl From<SwitchError> for Problem {
    fn from(error: SwitchError) -> Self {
        let kind = match &error {
            SwitchError::NotDeployed { .. } | SwitchError::Generation(GenerationError::Unknown { .. }) => {
                ProblemKind::NotFound
            }
            SwitchError::Generation(_) | SwitchError::NothingBefore { .. } | SwitchError::Behind { .. } => {
                ProblemKind::NotSwitched
            }
            SwitchError::Backfill(BackfillError::Contended { .. }) => ProblemKind::ConcurrentModification,
            _ => {
                tracing::error!(error = ?error, "a switch failed");
                ProblemKind::Unavailable
            }
        };
        Self::new(kind, error.to_string())
    }
}
