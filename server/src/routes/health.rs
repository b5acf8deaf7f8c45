//! `GET /livez` and `GET /readyz`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::{Problem, ProblemKind, Services};

/// The process answers.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// The stores are there, or the process would not have begun to listen; and it is not about to end. How far read models
/// are behind is no reason to take a process out: the others are behind as well.
pub(super) async fn ready(State(services): State<Services>) -> Result<Json<Value>, Problem> {
    match services.stopping.is_draining() {
        true => Err(Problem::new(ProblemKind::Unavailable, "the process is about to end: ask another")),
        false => Ok(Json(json!({"status": "ready"}))),
    }
}
