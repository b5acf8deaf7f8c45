//! What clients say in headers: expectations, keys, metadata.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use headwater::{CommandKey, Expected, Metadata, Options, Version};

use crate::Problem;

/// The version of a stream; proxies drop ETags.
pub(crate) const STREAM_VERSION: HeaderName = HeaderName::from_static("stream-version");
/// The client's name for a command.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Whether an answer is that of an earlier request under the same key.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The name of a request in the logs of everybody it passes.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest correlation, causation and trace headers in bytes.
const MAX_METADATA_BYTES: usize = 256;

/// Reads `If-Match`, `If-None-Match`, `Idempotency-Key`, `Correlation-Id`, `Causation-Id`, `traceparent` and
/// `X-Request-Id`.
///
/// # Errors
/// [`Problem`] naming the header that is not valid.
pub fn options_from(headers: &HeaderMap) -> Result<Options, Problem> {
    let mut options = Options::new().expected(expected(headers)?);
    if let Some(key) = text(headers, &IDEMPOTENCY_KEY)? {
        // The IETF draft has the key as a quoted string; bare ones are as common.
        let bare = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        let key =
            CommandKey::new(bare).map_err(|e| Problem::invalid(format!("header Idempotency-Key: {e}")))?;
        options = options.key(key);
    }
    Ok(options.metadata(metadata_from(headers)?))
}

/// Reads what is known about a command besides its content.
pub(crate) fn metadata_from(headers: &HeaderMap) -> Result<Metadata, Problem> {
    let mut metadata = Metadata::default();
    metadata.correlation = short(headers, &HeaderName::from_static("correlation-id"))?;
    metadata.causation = short(headers, &HeaderName::from_static("causation-id"))?;
    metadata.traceparent = short(headers, &HeaderName::from_static("traceparent"))?;
    if let Some(request) = short(headers, &REQUEST_ID)? {
        metadata.fields.insert(REQUEST_ID.as_str().to_owned(), request);
    }
    Ok(metadata)
}

/// What the preconditions of a command expect of the stream.
fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let matches = text(headers, &header::IF_MATCH)?;
    let none_matches = text(headers, &header::IF_NONE_MATCH)?;
    match (matches, none_matches) {
        (None, None) => Ok(Expected::Any),
        (Some("*"), None) => Ok(Expected::Exists),
        (Some(tag), None) => version(tag).map(Expected::Exact).ok_or_else(|| {
            Problem::invalid(format!(
                "header If-Match: {tag:?} is not one version: write If-Match: \"42\" or *"
            ))
        }),
        (None, Some("*")) => Ok(Expected::NoStream),
        (None, Some(tag)) => Err(Problem::invalid(format!(
            "header If-None-Match: {tag:?} is not supported for commands: write * for a stream that must be new"
        ))),
        (Some(_), Some(_)) => Err(Problem::invalid("send If-Match or If-None-Match, not both")),
    }
}

/// The version an entity tag stands for; weak ones count, because proxies make them so.
pub(crate) fn version(tag: &str) -> Option<Version> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain).map(Version)
}

/// The entity tag of a version.
pub(crate) fn tag(version: Version) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits are a header value")
}

/// Whether a client has this entity tag already.
pub(crate) fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tag = tag.to_str().unwrap_or_default();
    known.split(',').map(|known| known.trim()).any(|known| known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// A header that may be there once.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    text(headers, name)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid(format!("header {name} is there twice: send it once")));
    }
    let value = value.to_str().map_err(|_| Problem::invalid(format!("header {name} is not ASCII text")))?;
    Ok(Some(value.trim()))
}

fn short(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    match text(headers, name)? {
        Some(value) if value.len() > MAX_METADATA_BYTES => {
            Err(Problem::invalid(format!("header {name} is longer than {MAX_METADATA_BYTES} bytes")))
        }
        value => Ok(value.map(str::to_owned)),
    }
}
