//! `GET /metrics`: the metrics of the process, as Prometheus reads them.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::Services;
use crate::openapi::{Form, Operation, Scope};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/metrics", get)
            .named("metrics", "The metrics of the process, as Prometheus reads them")
            .scope(Scope::AdminRead)
            .formed::<String>(200, "The metrics", Form::Text),
    ]
}

async fn get(State(services): State<Services>) -> impl IntoResponse {
    services.surroundings.vitals.look();
    let text = services.surroundings.metrics.text();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
