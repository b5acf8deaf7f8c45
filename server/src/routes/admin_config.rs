//! `GET /v1/admin/config`: what this process runs on, and how it is configured.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::Services;
use crate::backends::Place;
use crate::config::Shown as Setting;
use crate::openapi::{Operation, Scope};

/// What is shown; other commands of the same binary ask it where the look-alikes of `dev` are.
#[derive(Serialize)]
struct Shown<'a> {
    backends: &'a Place,
    settings: &'a [Setting],
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/admin/config", get)
            .named("config", "What this process runs on, and its limits")
            .scope(Scope::AdminRead)
            .answer::<serde_json::Map<String, serde_json::Value>>(200, "The configuration"),
    ]
}

async fn get(State(services): State<Services>) -> Json<serde_json::Value> {
    let around = &services.surroundings;
    let shown = Shown { backends: &around.place, settings: &around.settings };
    Json(serde_json::to_value(shown).unwrap_or_default())
}
