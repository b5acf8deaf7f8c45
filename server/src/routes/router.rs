//! Which route leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{admin, admin_config, commands, docs, feed, health, metrics, read_models, streams};
use crate::aggregates::caught;
use crate::auth::{audit, authenticate};
use crate::observe::observe;
use crate::openapi::Operation;
use crate::serving::{Guard, guard, is_probe};
use crate::{Problem, ProblemKind, Services};

/// Largest body of a request in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Every built-in operation: what is routed, described and guarded.
pub(crate) fn operations() -> Vec<Operation> {
    let mut all = commands::operations();
    all.extend(streams::operations());
    all.extend(feed::operations());
    all.extend(read_models::operations());
    all.extend(admin::operations());
    all.extend(admin_config::operations());
    all.extend(health::operations());
    all.extend(metrics::operations());
    all.extend(docs::operations());
    all
}

/// All built-in routes, beside those of the application.
pub(crate) fn router(services: &Services, operations: &[Operation], own: Router<Services>) -> Router {
    let around = &services.surroundings;
    let built_in = operations.iter().fold(Router::new(), |router, operation| operation.add_to(router));
    built_in
        // The files behind the page of the description are no operations.
        .route("/docs/", get(docs::file))
        .route("/docs/{*file}", get(docs::file))
        .merge(own)
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(unharmed))
        // The outermost is the last: seen, let in, within the limits, and, when it changes the service, written down.
        .layer(from_fn(audit))
        .layer(from_fn_with_state(Guard::new(Arc::clone(&around.limits)), guard))
        .layer(from_fn_with_state(around.auth.clone(), authenticate))
        .layer(from_fn_with_state(services.clone(), observe))
        .with_state(services.clone())
}

/// The same router for a process that answers no requests: what looks after processes is answered, all else is told so.
pub(crate) fn probes(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| -> Response {
        let path = request.uri().path();
        if is_probe(path) || path == "/v1/admin/config" {
            return next.run(request).await;
        }
        Problem::not_found("this process only keeps read models: ask one with --role api or all")
            .into_response()
    }))
}

/// Answers when code panics.
async fn unharmed(request: Request, next: Next) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let answer = caught(&what, async { Ok(next.run(request).await) }).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is at {}: see /docs for the routes", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}
