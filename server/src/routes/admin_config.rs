//! `GET /v1/admin/config`: what this process runs on.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::Services;
use crate::backends::Place;
use crate::serving::Limits;

/// What is shown; other commands of the same binary ask it where the look-alikes of `dev` are.
#[derive(Serialize)]
struct Shown<'a> {
    backends: &'a Place,
    server: &'a Limits,
}

pub(super) async fn get(State(services): State<Services>) -> Json<serde_json::Value> {
    let around = &services.surroundings;
    Json(serde_json::to_value(Shown { backends: &around.place, server: &around.limits }).unwrap_or_default())
}
