//! Bodies of requests: JSON, within the limits; anything else is a problem that says what to send.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{MAX_BODY_BYTES, Problem, ProblemKind};

/// Deepest nesting of lists and objects in a body.
pub(crate) const MAX_JSON_DEPTH: usize = 64;

/// The bytes of a body that claims to be JSON, or claims nothing.
#[derive(Debug)]
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// The bytes of a body that is one JSON document, or one a line.
#[derive(Debug)]
pub(crate) struct JsonOrLines(pub(crate) Bytes);

/// A JSON body as a type of the application's own; what is wrong with it becomes a [`Problem`].
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        must_be(request.headers(), is_json, "application/json")?;
        read(request, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonOrLines {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let known = |essence: &str| is_json(essence) || essence == "application/x-ndjson";
        must_be(request.headers(), known, "application/x-ndjson or application/json")?;
        read(request, state).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        parse(&body, "the body").map(Self)
    }
}

/// Reads a document; what does not fit is named with the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let problem = Problem::invalid(format!("{what} does not fit at `{path}`: {}", error.inner()));
        if path == "." { problem } else { problem.with("field", path) }
    })?;
    reader.end().map_err(|error| Problem::invalid(format!("{what} goes on behind its end: {error}")))?;
    Ok(value)
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            ProblemKind::TooLarge,
            format!("the body is over the limit of {MAX_BODY_BYTES} bytes"),
        ),
        _ => Problem::invalid("the body could not be read to its end"),
    })?;
    if too_deep(&body) {
        let detail = format!("the body is nested deeper than {MAX_JSON_DEPTH} lists and objects: flatten it");
        return Err(Problem::invalid(detail));
    }
    Ok(body)
}

/// Whether lists and objects are nested too deep. What is not JSON at all is for the reader to refuse.
fn too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => depth += 1,
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_JSON_DEPTH {
            return true;
        }
    }
    false
}

fn must_be(headers: &HeaderMap, known: impl Fn(&str) -> bool, send: &str) -> Result<(), Problem> {
    // A body without a type is taken as JSON.
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default();
    if known(&kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()) {
        return Ok(());
    }
    let detail = format!("content type {kind:?} is not taken here: send Content-Type: {send}");
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_lists_and_objects_but_not_brackets_in_texts() {
        let nested = |depth: usize| format!("{}1{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(!too_deep(nested(MAX_JSON_DEPTH).as_bytes()));
        assert!(too_deep(nested(MAX_JSON_DEPTH + 2).as_bytes()));
        let text = format!("[{:?}, \"\\\\\", [], \"\\\"{}\"]", "[".repeat(100), "{".repeat(100));
        assert!(!too_deep(text.as_bytes()));
        assert!(!too_deep("[]".repeat(1_000).as_bytes()));
    }
}
