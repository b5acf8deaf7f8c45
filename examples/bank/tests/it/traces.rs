//! Traces of a real process: they reach a collector to the last one, and a collector that takes nothing costs spans and no
//! request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::process::Dev;

/// Commands, each in a trace of its own.
const COMMANDS: u64 = 100;
/// Clients at once against a collector that takes nothing.
const CLIENTS: usize = 8;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a collector was sent, each time.
type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn collector() -> (String, Received) {
    let received = Received::default();
    let taken = Arc::clone(&received);
    let take = post(async move |headers: HeaderMap, body: Bytes| taken.lock().unwrap().push((headers, body)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/v1/traces", take)).into_future());
    (address, received)
}

fn has(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// The id of a trace that no other command of the test has.
fn trace(number: u64) -> u128 {
    0x0af7_6519_16cd_43dd_8448_eb21_1c80_0000 + u128::from(number)
}

async fn terminate(dev: Dev) -> (Option<i32>, Vec<String>) {
    tokio::task::spawn_blocking(move || dev.terminate()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_reaches_the_collector_and_the_last_ones_at_the_end() {
    let (address, received) = collector().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=savings"),
        ("OTEL_SERVICE_NAME", "teller"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=vault"),
    ];
    let dev = Dev::within(&variables, &["dev", "--port", "0"]);
    let client = reqwest::Client::new();
    for number in 0..COMMANDS {
        let (name, body) = match number {
            0 => ("open", r#"{"owner": "ada", "overdraft_limit": 0}"#),
            _ => ("deposit", r#"{"amount": 1}"#),
        };
        let command = client
            .post(format!("{}/v1/streams/account/a/commands/{name}", dev.url))
            .header("content-type", "application/json")
            .header("traceparent", format!("00-{:032x}-b7ad6b7169203331-01", trace(number)));
        assert!(command.body(body).send().await.unwrap().status().is_success());
    }
    // Spans are sent every five seconds: those of the last moment are sent because the process ends.
    let (code, lines) = terminate(dev).await;
    assert_eq!(code, Some(0), "{lines:?}");
    let received = received.lock().unwrap();
    for number in 0..COMMANDS {
        // As protobuf has it: field 1 of a span, 16 bytes.
        let id = [&[0x0a, 16][..], &trace(number).to_be_bytes()].concat();
        assert!(received.iter().any(|(_, body)| has(body, &id)), "the trace of command {number} is missing");
    }
    for (headers, body) in received.iter() {
        assert_eq!(headers["x-tenant"], "savings");
        for text in ["teller", "deployment.environment.name", "vault"] {
            assert!(has(body, text.as_bytes()), "{text} is missing");
        }
    }
}

/// How many spans a server has lost because its queue was full, as its metrics say.
async fn dropped(client: &reqwest::Client, url: &str) -> u64 {
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let name = "headwater_spans_dropped_total{reason=\"queue-full\"} ";
    metrics.lines().find_map(|line| line.strip_prefix(name)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_costs_spans_that_are_counted_and_no_request_and_not_the_end() {
    // It is connected to, and nobody ever reads.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let dev = Dev::within(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &address)], &["dev", "--port", "0"]);
    let client = reqwest::Client::new();
    let ask = async |client: &reqwest::Client, url: &str| {
        let answer = client.get(format!("{url}/v1/read-models")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    // As many as may wait, and a batch that is being sent: from here on some are too many.
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, url) = (client.clone(), dev.url.clone());
        clients.spawn(async move {
            for _ in 0..(2048 + 512) / CLIENTS {
                ask(&client, &url).await;
            }
        });
    }
    let full = async {
        while clients.join_next().await.is_some() {}
        while dropped(&client, &dev.url).await == 0 {
            ask(&client, &dev.url).await;
        }
    };
    tokio::time::timeout(PATIENCE, full).await.expect("requests are held up, or what is lost is not counted");
    let (code, lines) = terminate(dev).await;
    assert_eq!(code, Some(0), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("traces")), "nobody was told: {lines:?}");
    drop(silent);
}
