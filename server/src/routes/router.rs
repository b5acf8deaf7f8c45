//! Which route leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::{admin_config, commands, events, health, metrics, read_models, streams};
use crate::auth::{audit, authenticate};
use crate::observe::observe;
use crate::serving::{Guard, guard, is_probe};
use crate::{Problem, ProblemKind, Services};

/// Largest body of a request in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// All built-in routes, beside those of the application.
pub(crate) fn router(services: &Services, own: Router<Services>) -> Router {
    let around = &services.surroundings;
    Router::new()
        .route("/v1/streams/{category}/{id}/commands/{name}", post(commands::post))
        .route("/v1/streams/{category}/{id}", get(streams::get))
        .route("/v1/streams/{category}/{id}/state", get(streams::state))
        .route("/v1/streams/{category}/{id}/events", get(events::page))
        .route("/v1/read-models", get(read_models::catalogue))
        .route("/v1/read-models/{name}/{key}", get(read_models::row))
        .route("/v1/admin/config", get(admin_config::get))
        .route("/metrics", get(metrics::get))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(own)
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        // The outermost is the last: seen, let in, within the limits, and, when it changes the service, written down.
        .layer(middleware::from_fn(audit))
        .layer(middleware::from_fn_with_state(Guard::new(Arc::clone(&around.limits)), guard))
        .layer(middleware::from_fn_with_state(around.auth.clone(), authenticate))
        .layer(middleware::from_fn_with_state(services.clone(), observe))
        .with_state(services.clone())
}

/// The same router for a process that answers no requests: what looks after processes is answered, all else is told so.
pub(crate) fn probes(router: Router) -> Router {
    router.layer(middleware::from_fn(async |request: Request, next: Next| -> Response {
        let path = request.uri().path();
        if is_probe(path) || path == "/v1/admin/config" {
            return next.run(request).await;
        }
        Problem::not_found("this process only keeps read models: ask one with --role api or all")
            .into_response()
    }))
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is at {}: see the README for the routes", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}
