//! `POST /v1/admin/projections/{projection}/rebuilds` and `/v1/admin/operations`: read models built anew on request, seen
//! and cancelled.
//!
//! Asking writes an operation into the control table and does nothing else, so any process may be asked. One that keeps
//! read models carries it out; every process shows and cancels it.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use headwater_projections::ReadError;
use headwater_projections::backfill::{
    AskedFor, Budget, EventSource, Operation, OperationError, OperationState, Promotion, Verify, Wish,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::projections::{Reason, check_reason};
use crate::body::JsonBody;
use crate::extract::PathOf;
use crate::rebuild::command;
use crate::{Principal, Problem, ProblemKind, Services};

/// How a read model is to be built anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rebuild {
    /// Where the events are read; the archive if it has files and nothing is said, else the ledger.
    #[serde(default)]
    source: Option<EventSource>,
    /// What rows may take in memory, in MiB, at most what the setting `limits.rebuild_memory_mib` says, which is also what
    /// they get when nothing is said. What does not fit is done in parts.
    #[serde(default)]
    #[schemars(range(min = 1))]
    memory_mib: Option<u32>,
    /// What it may take: a part of the time such as `50%`, or write units a second such as `200`. Without it, as much as
    /// there is. In any case it slows down while live read models lag.
    #[serde(default)]
    budget: Option<Budget>,
    /// Which rows are compared with a fold of their own before the switch.
    #[serde(default)]
    verify: Verify,
    /// Whether it becomes live by itself once it is level with the live one.
    #[serde(default)]
    promote: Promotion,
    /// Why; it goes into the log.
    #[schemars(length(min = 1, max = 1024))]
    reason: String,
}

/// A long job, and what goes on with it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Shown {
    #[serde(flatten)]
    operation: Operation,
    /// What goes on with what was done, when it ended before its end.
    go_on: Option<String>,
}

/// The operations: those that are queued or under way, and the last ones that have ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct List {
    operations: Vec<Shown>,
}

/// An operation, and where it is.
type Placed = (StatusCode, [(header::HeaderName, String); 1], Json<Shown>);

pub(super) async fn rebuild(
    State(services): State<Services>,
    principal: Principal,
    PathOf(name): PathOf<String>,
    JsonBody(rebuild): JsonBody<Rebuild>,
) -> Result<Placed, Problem> {
    check_reason(&rebuild.reason)?;
    let version = match services.read_models.version(&name) {
        Ok(version) => version,
        Err(unknown) => return Err(no_read_model(&services, &name, unknown).await),
    };
    let most = services.surroundings.limits.rebuild_memory_mib;
    let mib = rebuild.memory_mib.unwrap_or(most);
    if !(1..=most).contains(&mib) {
        let detail = format!(
            "memory_mib {mib} is not valid: give 1 to {most}, raise limits.rebuild_memory_mib, or use the command \
             `backfill {name}`, which has memory of its own"
        );
        return Err(Problem::invalid(detail).with("field", "memory_mib"));
    }
    let wish = Wish {
        by: principal.name().to_owned(),
        reason: rebuild.reason,
        source: rebuild.source,
        memory_bytes: usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(1 << 20),
        budget: rebuild.budget.unwrap_or(Budget::Unlimited),
        verify: rebuild.verify,
        promote: rebuild.promote,
    };
    let (status, operation) = match services.operations.ask(&name, version, &wish).await? {
        AskedFor::New(operation) => (StatusCode::ACCEPTED, operation),
        AskedFor::There(operation) => (StatusCode::OK, operation),
    };
    let place = format!("/v1/admin/operations/{}", operation.id);
    Ok((status, [(header::LOCATION, place)], Json(operation.into())))
}

/// What is wrong with a name that no read model has.
async fn no_read_model(services: &Services, name: &str, unknown: ReadError) -> Problem {
    match services.control.projection(name).await {
        Err(ReadError::UnknownProjection { .. }) => unknown.into(),
        // The runner knows it.
        _ => Problem::not_found(format!(
            "{name} is a reactor: it has no rows that could be built anew; what it could not do is tried again by \
             /v1/admin/parked/retry"
        )),
    }
}

pub(super) async fn list(State(services): State<Services>) -> Result<Json<List>, Problem> {
    let operations = services.operations.list().await?;
    Ok(Json(List { operations: operations.into_iter().map(Shown::from).collect() }))
}

pub(super) async fn one(
    State(services): State<Services>,
    PathOf(id): PathOf<String>,
) -> Result<Json<Shown>, Problem> {
    Ok(Json(services.operations.get(&id).await?.into()))
}

pub(super) async fn cancel(
    State(services): State<Services>,
    principal: Principal,
    PathOf(id): PathOf<String>,
    JsonBody(Reason { reason }): JsonBody<Reason>,
) -> Result<Json<Shown>, Problem> {
    check_reason(&reason)?;
    Ok(Json(services.operations.cancel(&id, principal.name()).await?.into()))
}

impl From<Operation> for Shown {
    fn from(operation: Operation) -> Self {
        let (projection, report) = (&operation.projection, &operation.report);
        let generation = report.progress.generation;
        let go_on = match operation.state {
            OperationState::Done if report.live => None,
            OperationState::Done => Some(format!("projections promote {projection} {generation}")),
            OperationState::Queued | OperationState::Running | OperationState::WaitingForSwitch => None,
            _ => Some(command(projection, &operation.wish)),
        };
        Self { operation, go_on }
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        let detail = error.to_string();
        match error {
            OperationError::Unknown { .. } => Self::not_found(detail),
            OperationError::Ended { operation } => {
                let state = serde_json::to_value(operation.state).unwrap_or_default();
                Self::new(ProblemKind::OperationEnded, detail).with("state", state)
            }
            OperationError::Contended => Self::new(ProblemKind::ConcurrentModification, detail),
            other => {
                tracing::error!(error = ?other, "operations cannot be reached");
                Self::new(ProblemKind::Unavailable, detail)
            }
        }
    }
}
