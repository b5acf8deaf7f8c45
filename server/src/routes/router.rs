//! Which route leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{admin, admin_config, commands, docs, feed, health, metrics, read_models, streams};
use crate::aggregates::caught;
use crate::auth::{audit, authenticate};
use crate::observe::{Meters, observe};
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
    let built_in = operations.iter().fold(Router::new(), |router, operation| operation.add_to(router));
    built_in
        // The files behind the page of the description are no operations.
        .route("/docs/", get(docs::file))
        .route("/docs/{*file}", get(docs::file))
        .merge(own)
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::new(Around::new(services)), around))
        .with_state(services.clone())
}

/// What the layer around all routes works with.
struct Around {
    services: Services,
    meters: Meters,
    guard: Guard,
}

impl Around {
    fn new(services: &Services) -> Self {
        let guard = Guard::new(Arc::clone(&services.surroundings.limits));
        Self { services: services.clone(), meters: Meters::default(), guard }
    }
}

/// Every request, from the outside in: seen, let in, within the limits, when it changes the service written down, and
/// answered even when code panics. One layer and not five: each would be cloned and boxed, with those inside it, for each
/// request.
async fn around(State(around): State<Arc<Around>>, request: Request, next: Next) -> Response {
    let Around { services, meters, guard: within } = &*around;
    let auth = &services.surroundings.auth;
    observe(services, meters, request, |request| {
        authenticate(auth, request, |request| {
            guard(within, request, |request| audit(request, |request| unharmed(request, next)))
        })
    })
    .await
}

/// The same router for a process that answers no requests: who looks after processes is answered, all else is told so.
pub(crate) fn of_worker(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| -> Response {
        let path = request.uri().path();
        if is_probe(path) || path.starts_with("/v1/admin/") {
            return next.run(request).await;
        }
        Problem::not_found("this process only keeps read models: ask one with --role api or all")
            .into_response()
    }))
}

/// Answers when code panics.
async fn unharmed(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let what = || format!("{method} {}", uri.path());
    let answer = caught(what, async { Ok(next.run(request).await) }).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!("nothing is at {}: see /docs for the routes", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}
