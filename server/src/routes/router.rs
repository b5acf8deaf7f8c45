//! Which route leads where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::routing::{get, post};

use super::{commands, events, health, read_models, streams};
use crate::{Problem, ProblemKind, Services};

/// Largest body of a request in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// All built-in routes, beside those of the application.
pub(crate) fn router(services: &Services, own: Router<Services>) -> Router {
    Router::new()
        .route("/v1/streams/{category}/{id}/commands/{name}", post(commands::post))
        .route("/v1/streams/{category}/{id}", get(streams::get))
        .route("/v1/streams/{category}/{id}/state", get(streams::state))
        .route("/v1/streams/{category}/{id}/events", get(events::page))
        .route("/v1/read-models", get(read_models::catalogue))
        .route("/v1/read-models/{name}/{key}", get(read_models::row))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(own)
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(services.clone())
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is at {}: see the README for the routes", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}
