//! `GET /livez` and `GET /readyz`.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::Operation;
use crate::{Problem, ProblemKind, Services};

/// How the process is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    status: &'static str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/livez", alive)
            .named("livez", "Whether the process answers")
            .answer::<Health>(200, "It does"),
        Operation::get("/readyz", ready)
            .named("readyz", "Whether requests should be sent here")
            .answer::<Health>(200, "They should")
            .problems(&[ProblemKind::Draining]),
    ]
}

async fn alive() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Routes are there only once the stores were reached; from then on it is ready until it is about to end.
async fn ready(State(services): State<Services>) -> Result<Json<Health>, Problem> {
    if services.stopping.is_draining() {
        return Err(Problem::new(ProblemKind::Draining, "this instance is about to stop"));
    }
    Ok(Json(Health { status: "ready" }))
}
