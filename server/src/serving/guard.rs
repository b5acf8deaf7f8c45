//! One request: refused when too many are under way, given up when it takes too long. Refusing costs next to nothing, so
//! a server that is asked for more than it can do goes on doing what it can.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use metrics::counter;
use tokio::sync::Semaphore;

use super::limits::Limits;
use super::writes::Writes;
use crate::{MAX_BODY_BYTES, Problem, ProblemKind};

/// What is kept over all requests.
#[derive(Debug)]
pub(crate) struct Guard {
    limits: Arc<Limits>,
    seats: Semaphore,
}

impl Guard {
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        let seats = Semaphore::new(limits.requests);
        Self { limits, seats }
    }
}

/// Answers a request within the limits.
pub(crate) async fn guard<F: Future<Output = Response>>(
    guard: &Guard,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    // Whoever looks after the process must get an answer when it is busiest.
    if is_probe(request.uri().path()) {
        return next(request).await;
    }
    let Ok(_seat) = guard.seats.try_acquire() else {
        counter!("headwater_requests_shed_total").increment(1);
        return Problem::new(
            ProblemKind::Overloaded,
            "too many requests are under way: try again in a second",
        )
        .into_response();
    };
    let request = match tokio::time::timeout(guard.limits.body(), with_body(request)).await {
        Ok(Ok(request)) => request,
        Ok(Err(problem)) => return problem.into_response(),
        Err(_) => {
            let seconds = guard.limits.body_seconds;
            let detail = format!("the body did not come within {seconds} seconds: nothing was done");
            return Problem::new(ProblemKind::RequestTimeout, detail).into_response();
        }
    };
    let writes = Writes::default();
    match tokio::time::timeout(guard.limits.request(), writes.watch(next(request))).await {
        Ok(response) => response,
        Err(_) => Problem::deadline(writes.began(), guard.limits.request()).into_response(),
    }
}

pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
}

/// The request with its whole body in memory.
async fn with_body(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    if announced(&parts.headers).is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => Ok(Request::from_parts(parts, Body::from(body.to_bytes()))),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::invalid("the body could not be read to its end")),
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> Problem {
    Problem::new(ProblemKind::TooLarge, format!("the body is over the limit of {MAX_BODY_BYTES} bytes"))
}
