//! The layer around each request: its id, its lines in the log, and how long it took.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, gauge, histogram};
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

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
pub(crate) async fn observe(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    if !request.headers().get(&TRACEPARENT).is_none_or(is_traceparent) {
        // One that breaks the rules is none, says the standard.
        request.headers_mut().remove(&TRACEPARENT);
    }
    let text = |header: Option<&HeaderValue>| {
        header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let route = request.extensions().get::<MatchedPath>().map_or(NOWHERE, MatchedPath::as_str).to_owned();
    let method = method(&request);
    let command = (route == COMMAND).then(|| command(&services, request.uri().path()));
    let trace = text(request.headers().get(&TRACEPARENT)).split('-').nth(1).unwrap_or_default().to_owned();
    let probe = is_probe(request.uri().path());
    let id_text = text(Some(&id));
    let span = if probe {
        // Somebody asks every few seconds: no trace of that is worth keeping.
        tracing::debug_span!("probe", id = id_text, trace, method, route)
    } else {
        let (kind, name) = (Empty, Empty);
        tracing::info_span!("request", id = id_text, trace, method, route, otel.kind = kind, otel.name = name)
    };
    otlp::begin(&span, request.headers(), method, &route);

    let under_way = UnderWay::new();
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (took, status) = (began.elapsed(), response.status());
    drop(under_way);
    otlp::finish(&span, status, command.as_ref());

    if !probe {
        span.in_scope(|| tracing::debug!(status = status.as_u16(), took = ?took, "answered"));
    }
    let code = status.as_u16().to_string();
    counter!("headwater_http_requests_total", "method" => method, "route" => route.clone(), "status" => code)
        .increment(1);
    histogram!("headwater_http_request_seconds", "method" => method, "route" => route)
        .record(took.as_secs_f64());
    if let Some((category, command)) = command {
        let outcome = outcome(status, response.headers().contains_key(IDEMPOTENT_REPLAYED));
        counter!("headwater_commands_total", "category" => category, "command" => command, "outcome" => outcome)
            .increment(1);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Counts a request as long as it lives, also when its client goes away.
struct UnderWay;

impl UnderWay {
    fn new() -> Self {
        gauge!("headwater_http_requests_under_way").increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        gauge!("headwater_http_requests_under_way").decrement(1.0);
    }
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
fn command(services: &Services, path: &str) -> (&'static str, String) {
    let mut segments = path.split('/');
    let (category, name) = (segments.nth(3).unwrap_or_default(), segments.nth(2).unwrap_or_default());
    let Some((category, aggregate)) = services.aggregates.get_key_value(category) else {
        return (UNKNOWN, UNKNOWN.to_owned());
    };
    let known = aggregate.commands().contains(&name);
    (category, if known { name } else { UNKNOWN }.to_owned())
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
        HeaderValue::from_str(&uuid::Uuid::now_v7().to_string()).expect("an id is digits and hyphens")
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
