//! Requests with any path, headers and body: never a failure of the server, a problem for what is wrong, and nothing
//! changed by what was refused.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use headwater_proof::fuzz::fuzz;
use serde_json::Value;
use tower::ServiceExt;

use crate::client::app;

/// A request, if the text is one at all.
fn request(json: &Value) -> Option<Request<Body>> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let method = Method::from_bytes(text("method")?.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(text("path")?);
    for (name, value) in json.get("headers")?.as_object()? {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        request = request.header(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    request.body(Body::from(text("body")?.to_owned())).ok()
}

#[test]
fn any_request_is_answered_and_what_is_refused_changes_nothing() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let _inside = runtime.enter();
    let (router, _not_run) = app().in_memory().unwrap();
    let send = |request: Request<Body>| {
        let answer = runtime.block_on(router.clone().oneshot(request)).unwrap();
        (answer.status(), answer.headers().get("content-type").cloned())
    };
    let head = |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = runtime.block_on(router.clone().oneshot(request)).unwrap();
        answer.headers().get("etag").cloned()
    };
    fuzz("http", |input| {
        let Ok(json) = serde_json::from_slice::<Value>(input) else { return Ok(()) };
        let Some(request) = request(&json) else { return Ok(()) };
        let before = head("/v1/streams/counter/a");
        let (status, kind) = send(request);
        // 503 says that nobody keeps the read models here, which is so.
        if status.is_server_error() && status.as_u16() != 503 {
            return Err(format!("the answer is {status}"));
        }
        if status.is_client_error() || status.is_server_error() {
            if kind.as_ref().is_none_or(|kind| kind != "application/problem+json") {
                return Err(format!("{status} comes as {kind:?}"));
            }
            if head("/v1/streams/counter/a") != before {
                return Err(format!("{status} has changed the stream"));
            }
        }
        Ok(())
    });
}
