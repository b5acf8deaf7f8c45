//! Bodies of requests: JSON, within the limit; anything else is a problem that says what to send.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{MAX_BODY_BYTES, Problem, ProblemKind};

/// The bytes of a body that claims to be JSON, or claims nothing.
#[derive(Debug)]
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// A JSON body as a type of the application's own; what is wrong with it becomes a [`Problem`].
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                    ProblemKind::TooLarge,
                    format!("the body is over the limit of {MAX_BODY_BYTES} bytes"),
                ),
                _ => Problem::invalid("the body could not be read to its end"),
            })?;
        Ok(Self(body))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| Problem::invalid(format!("the body does not fit: {error}")))
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    // A body without a type is taken as JSON.
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let detail = format!("content type {kind:?} is not JSON: send Content-Type: application/json");
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
}
