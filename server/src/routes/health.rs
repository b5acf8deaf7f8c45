//! `GET /livez` and `GET /readyz`.

use axum::Json;
use serde_json::{Value, json};

/// The process answers.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// The stores are there: on the memory backends from the first moment on.
pub(super) async fn ready() -> Json<Value> {
    Json(json!({"status": "ready"}))
}
