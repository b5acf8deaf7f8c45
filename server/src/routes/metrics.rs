//! `GET /metrics`: the metrics of the process, as Prometheus reads them.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::Services;

pub(super) async fn get(State(services): State<Services>) -> impl IntoResponse {
    services.surroundings.vitals.look();
    let text = services.surroundings.metrics.text();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
