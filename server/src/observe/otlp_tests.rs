//! Traces, received by a collector on loopback.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use headwater::testing::counter::Counter;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::App;

const TRACE: [u8; 16] = 0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes();
const CALLER: [u8; 8] = 0xb7ad6b7169203331_u64.to_be_bytes();
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A collector, and what it is sent.
async fn collector() -> (String, mpsc::UnboundedReceiver<Bytes>) {
    let (sender, received) = mpsc::unbounded_channel();
    let take = axum::routing::post(move |body: Bytes| async move {
        sender.send(body).unwrap();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route(PATH, take)).await });
    (address, received)
}

/// Adds to a counter for a caller who is in a trace and has decided whether it is sampled.
async fn add(flags: &str) {
    let (router, _runner) = App::new("counters").aggregate::<Counter>().in_memory().unwrap();
    let request = Request::post("/v1/streams/counter/a/commands/add")
        .header("content-type", "application/json")
        .header("traceparent", format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"))
        .body(Body::from("{\"amount\":1}"))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
}

fn has(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn the_span_of_a_command_reaches_the_collector_below_that_of_its_caller() {
    let (address, mut received) = collector().await;
    let traces = Traces::to("counters", &address).unwrap();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(traces.layer()));
    add("01").await;
    drop(guard);
    traces.end(PATIENCE).await;

    let body = received.try_recv().expect("it was sent before the end");
    let name = "POST /v1/streams/{category}/{id}/commands/{name}";
    for text in ["service.name", "counters", name, "headwater.command", "add"] {
        assert!(has(&body, text.as_bytes()), "{text} is missing");
    }
    // As protobuf has them: trace_id is field 1 of a span, parent_span_id field 4.
    assert!(has(&body, &[&[0x0a, 16], &TRACE[..]].concat()), "another trace");
    assert!(has(&body, &[&[0x22, 8], &CALLER[..]].concat()), "another parent");
}

#[tokio::test]
async fn what_the_caller_did_not_sample_is_not_sent() {
    let (address, mut received) = collector().await;
    let traces = Traces::to("counters", &address).unwrap();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(traces.layer()));
    add("00").await;
    drop(guard);
    traces.end(PATIENCE).await;
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_neither_requests_nor_the_end() {
    // It is connected to, and nobody ever reads.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = Traces::to("counters", &format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(traces.layer()));
    add("01").await;
    drop(guard);
    tokio::time::timeout(SEND, traces.end(Duration::from_millis(50))).await.expect("the end was held up");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    for endpoint in ["collector:4318", "ftp://collector", ""] {
        let otlp = Otlp { endpoint: Some(endpoint.to_owned()) };
        let error = Traces::start("counters", &otlp).unwrap_err().to_string();
        assert!(error.contains("otlp.endpoint") && error.contains("http://"), "{error}");
    }
}
