//! The layer that writes down who changed what about the service, and why: one line before it is done, one after.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde::Deserialize;

use super::Principal;

/// The target of the lines in the log.
const TARGET: &str = "headwater::audit";
/// Most characters of a reason.
const REASON: usize = 500;

#[derive(Deserialize)]
struct Why {
    reason: Option<String>,
}

/// Writes changes down; everything else passes.
pub(crate) async fn audit<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let path = request.uri().path();
    let changes = path.starts_with("/v1/admin/") && !matches!(*request.method(), Method::GET | Method::HEAD);
    if !changes {
        return next(request).await;
    }
    let principal = request.extensions().get::<Principal>().map_or("nobody", Principal::name).to_owned();
    let change = format!("{} {}", request.method(), request.uri());
    let (parts, body) = request.into_parts();
    // The layer before has read the body: it is here and within the limit.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let reason = reason(&body);
    tracing::info!(target: TARGET, principal, change, reason, "is asked for");
    let mut request = Request::from_parts(parts, Body::from(body));
    request.headers_mut().remove(header::EXPECT);
    let response = next(request).await;
    tracing::info!(target: TARGET, principal, change, reason, status = response.status().as_u16(), "is answered");
    response
}

fn reason(body: &Bytes) -> String {
    let why: Option<Why> = serde_json::from_slice(body).ok();
    why.and_then(|why| why.reason).unwrap_or_default().chars().take(REASON).collect()
}
