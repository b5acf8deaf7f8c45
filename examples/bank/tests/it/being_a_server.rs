//! The bank as those who run it meet it: ten thousand idle connections, and as many halves of requests as it takes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Dev;

/// Connections that do nothing.
const IDLE: usize = 10_000;
/// What they may take of memory, all together.
const MEMORY_BYTES: u64 = 200_000_000;
/// Connections that a server takes in the test of halves, and requests at once.
const CONNECTIONS: usize = 1_000;
const REQUESTS: usize = 64;
/// Bytes of half a head: a little below what a head may have.
const HEAD_BYTES: usize = 60_000;
/// Bytes that a body may have.
const BODY_BYTES: usize = 1024 * 1024;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(90);

fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_take_little_memory_and_others_are_answered() {
    let files = open_files();
    assert!(files > IDLE + 200, "this test needs {} open files: run `ulimit -n 16384` first", IDLE + 200);
    let dev = Dev::start(&[]);
    let address = dev.address();
    let before = dev.peak_memory_bytes();
    // One place is left for those who want something; all others are taken.
    let mut idle = Vec::with_capacity(IDLE);
    for _ in 0..IDLE - 1 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    let client = reqwest::Client::new();
    let answer = client.get(format!("{}/v1/read-models", dev.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let grown = dev.peak_memory_bytes() - before;
    assert!(grown < MEMORY_BYTES, "{IDLE} idle connections took {grown} bytes");

    // Every place is taken now; whoever comes is told.
    let full = TcpStream::connect(&address).await.unwrap();
    let refused = reqwest::Client::new().get(format!("{}/livez", dev.url)).send().await;
    assert!(refused.is_err() || refused.unwrap().status() == 503);
    drop((full, idle));
}

/// Half of a request, and what comes of it.
async fn half(address: String, text: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be refused before all of it is written.
    _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    // A reset is a close as well.
    _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is not closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn halves_of_requests_take_no_more_memory_than_the_limits_allow_and_their_senders_are_shut_out() {
    let files = open_files();
    assert!(files > CONNECTIONS + 200, "this test needs {} open files", CONNECTIONS + 200);
    let (connections, requests) = (CONNECTIONS.to_string(), REQUESTS.to_string());
    let limits = [
        ("HEADWATER_LIMITS__CONNECTIONS", connections.as_str()),
        ("HEADWATER_LIMITS__REQUESTS", requests.as_str()),
        ("HEADWATER_LIMITS__HEADER_SECONDS", "15"),
        ("HEADWATER_LIMITS__BODY_SECONDS", "10"),
    ];
    let dev = Dev::within(&limits, &["dev", "--port", "0"]);
    // Each question has a connection of its own, for which some places stay free.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let get = async |path: &str| client.get(format!("{}{path}", dev.url)).send().await.unwrap();
    assert_eq!(get("/v1/read-models").await.status(), 200);
    let before = dev.memory_bytes();

    let to =
        "/v1/streams/account/a/commands/open HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let head = format!("POST {to}\r\nx-half: {}", "x".repeat(HEAD_BYTES));
    let body = format!(
        "POST {to}\r\ncontent-length: {BODY_BYTES}\r\n\r\n{{\"owner\": \"{}",
        "x".repeat(BODY_BYTES - 20)
    );
    let bodies = 3 * REQUESTS;
    let start = |text: &str| tokio::spawn(half(dev.address(), text.to_owned()));
    let bodies: Vec<_> = (0..bodies).map(|_| start(&body)).collect();
    let heads: Vec<_> = (bodies.len()..CONNECTIONS - 10).map(|_| start(&head)).collect();
    // Those who hold a place are no reason to say nothing to others.
    let refused = async {
        loop {
            let answer = get("/v1/read-models").await;
            if answer.status() == 503 {
                return answer.text().await.unwrap();
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await.expect("nobody is refused");
    assert!(refused.contains("/problems/overloaded"), "{refused}");
    assert_eq!(get("/livez").await.status(), 200);

    // Some were under way, and the others were refused at once, and each was told so.
    let (mut late, mut shed) = (0, 0);
    for answer in bodies {
        match answer.await.unwrap() {
            answer if answer.starts_with("HTTP/1.1 408") => late += 1,
            answer if answer.starts_with("HTTP/1.1 503") => shed += 1,
            // What is refused is not read to its end, which may take the answer away from whoever still writes.
            answer => assert!(answer.is_empty(), "{answer}"),
        }
    }
    assert!((1..=REQUESTS).contains(&late), "{late} bodies did not come in time, {shed} were refused");
    for answer in heads {
        let answer = answer.await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    let grown = dev.peak_memory_bytes() - before;
    let bound = (CONNECTIONS * 2 * 64 * 1024 + REQUESTS * 2 * BODY_BYTES) as u64;
    assert!(grown < bound, "{grown} bytes, and the limits allow {bound}");
    assert_eq!(get("/v1/read-models").await.status(), 200);
    let stream = get("/v1/streams/account/a").await;
    assert_eq!(stream.status(), 404, "half of a command was carried out");
}
