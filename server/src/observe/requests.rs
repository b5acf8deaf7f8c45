//! The layer around each request: its id, its lines in the log, and how long it took.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use headwater::CommitId;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use super::meters::{Command, Meters};
use super::otlp;
use crate::Services;
use crate::headers::IDEMPOTENT_REPLAYED;
use crate::serving::is_probe;

/// The id of a request, as clients and proxies name it; one is made when there is none.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Longest id that is taken over.
const MAX_ID_BYTES: usize = 128;
/// The route of what leads nowhere.
const NOWHERE: &str = "(nowhere)";
/// A command that does not exist.
const UNKNOWN: &str = "(unknown)";
const COMMAND: &str = "/v1/streams/{category}/{id}/commands/{name}";

/// Answers a request, and writes down that it did.
pub(crate) async fn observe<F: Future<Output = Response>>(
    services: &Services,
    meters: &Meters,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    if !request.headers().get(&TRACEPARENT).is_none_or(is_traceparent) {
        // One that breaks the rules is none, says the standard.
        request.headers_mut().remove(&TRACEPARENT);
    }
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NOWHERE, MatchedPath::as_str);
    let method = method(&request);
    let command = (route == COMMAND).then(|| command(services, request.uri().path()));
    let trace = request.headers().get(&TRACEPARENT).map_or("", text).split('-').nth(1).unwrap_or_default();
    let probe = is_probe(request.uri().path());
    let id_text = text(&id);
    let span = if probe {
        // Somebody asks every few seconds: no trace of that is worth keeping.
        tracing::debug_span!("probe", id = id_text, trace, method, route)
    } else {
        let (kind, name) = (Empty, Empty);
        tracing::info_span!("request", id = id_text, trace, method, route, otel.kind = kind, otel.name = name)
    };
    otlp::begin(&span, request.headers(), method, route);

    let under_way = meters.begin();
    let began = Instant::now();
    let mut response = next(request).instrument(span.clone()).await;
    let (took, status) = (began.elapsed(), response.status());
    drop(under_way);
    otlp::finish(&span, status, command.as_ref());

    if !probe {
        span.in_scope(|| tracing::debug!(status = status.as_u16(), took = ?took, "answered"));
    }
    meters.answered(method, route, status, took);
    if let Some((category, command)) = command {
        let outcome = outcome(status, response.headers().contains_key(IDEMPOTENT_REPLAYED));
        meters.commanded(Command { category, command, outcome });
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// A header as text; one that is none says nothing.
fn text(header: &HeaderValue) -> &str {
    header.to_str().unwrap_or_default()
}

/// The methods that routes have; a client can make up others.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Category and name of a command, if both exist.
fn command(services: &Services, path: &str) -> (&'static str, &'static str) {
    let mut segments = path.split('/');
    let (category, name) = (segments.nth(3).unwrap_or_default(), segments.nth(2).unwrap_or_default());
    let Some((category, aggregate)) = services.aggregates.get_key_value(category) else {
        return (UNKNOWN, UNKNOWN);
    };
    let known = aggregate.commands().iter().find(|known| **known == name);
    (category, known.copied().unwrap_or(UNKNOWN))
}

/// What became of a command, in words of which there are few.
fn outcome(status: StatusCode, replayed: bool) -> &'static str {
    match status.as_u16() {
        200 | 201 if replayed => "replayed",
        200 | 201 => "carried-out",
        409 => "contended",
        412 | 428 => "precondition",
        422 => "rejected",
        503 => "refused",
        504 => "late",
        500..=599 => "failed",
        _ => "invalid",
    }
}

fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(&REQUEST_ID).filter(|id| {
        let bytes = id.as_bytes();
        !bytes.is_empty() && bytes.len() <= MAX_ID_BYTES && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        // Made as ids of commits are: nobody asks for the order in which `Uuid::now_v7` would make all threads wait.
        let mut text = uuid::Uuid::encode_buffer();
        let text = CommitId::new().0.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).expect("an id is digits and hyphens")
    })
}

/// Whether a header is as W3C Trace Context has it: `00-…32 digits…-…16 digits…-..`, neither all zero.
fn is_traceparent(header: &HeaderValue) -> bool {
    let Ok(text) = header.to_str() else { return false };
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        [version, trace, span, flags, rest @ ..] => {
            hex(version, 2)
                && *version != "ff"
                && (rest.is_empty() || *version != "00")
                && hex(trace, 32)
                && some(trace)
                && hex(span, 16)
                && some(span)
                && hex(flags, 2)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_standard_allows_is_a_traceparent() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        for good in [format!("00-{trace}-{span}-01"), format!("cc-{trace}-{span}-01-what-the-future-brings")]
        {
            assert!(is_traceparent(&HeaderValue::from_str(&good).unwrap()), "{good}");
        }
        let bad = [
            String::new(),
            format!("ff-{trace}-{span}-01"),
            format!("00-{trace}-{span}-01-more"),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}-{span}"),
        ];
        for bad in bad {
            assert!(!is_traceparent(&HeaderValue::from_str(&bad).unwrap()), "{bad}");
        }
    }

    #[test]
    fn an_id_is_taken_over_when_it_is_short_and_plain() {
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            request_id(&headers)
        };
        assert_eq!(of("abc-123"), "abc-123");
        for id in ["", "a b", &"x".repeat(MAX_ID_BYTES + 1)] {
            assert_ne!(of(id), *id, "{id}");
        }
    }
}
