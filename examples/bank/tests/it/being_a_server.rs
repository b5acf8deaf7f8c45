//! `bank serve` as those who run it meet it: ten thousand idle connections, and an end in the middle of everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::Dev;

/// Connections that do nothing.
const IDLE: usize = 10_000;
/// What they may take of memory, all together.
const MEMORY_BYTES: u64 = 200_000_000;
/// Clients that send commands while the server ends.
const CLIENTS: usize = 16;

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
    let address = dev.url.strip_prefix("http://").unwrap().to_owned();
    let before = dev.peak_memory_bytes();
    // One place is left for those who want something; all others are taken.
    let mut idle = Vec::with_capacity(IDLE);
    for _ in 0..IDLE - 1 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    let client = reqwest::Client::new();
    let answer = client.get(format!("{}/v1/read-models", dev.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let grown = dev.peak_memory_bytes() - before;
    assert!(grown < MEMORY_BYTES, "{IDLE} idle connections took {grown} bytes");

    // Every place is taken now; whoever comes is told.
    let full = tokio::net::TcpStream::connect(&address).await.unwrap();
    let refused = reqwest::Client::new().get(format!("{}/livez", dev.url)).send().await;
    assert!(refused.is_err() || refused.unwrap().status() == 503);
    drop((full, idle));
}

/// Sends deposits to an account of its own until the server is gone. Gives how many were acknowledged, and whether the
/// last one was sent and never answered.
async fn deposits(url: String, account: String, ending: Arc<AtomicBool>) -> (u64, u64) {
    let client = reqwest::Client::new();
    let (mut acknowledged, mut unanswered) = (0, 0);
    loop {
        let command = client
            .post(format!("{url}/v1/streams/account/{account}/commands/deposit"))
            .json(&json!({"amount": 1}));
        match command.send().await {
            Ok(answer) if answer.status().is_success() => acknowledged += 1,
            Ok(answer) => {
                // Refusing is an answer: nothing was done.
                assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap());
            }
            Err(error) => {
                assert!(ending.load(Ordering::Relaxed), "{error:?}");
                if !error.is_connect() {
                    unanswered += 1;
                }
                return (acknowledged, unanswered);
            }
        }
    }
}

async fn account(client: &reqwest::Client, url: &str, id: &str) -> Value {
    client.get(format!("{url}/v1/streams/account/{id}/state")).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_under_load_answers_what_it_took_and_leaves_nothing_behind() {
    let dev = Dev::start(&[]);
    let server = dev.serve(&[]);
    let client = reqwest::Client::new();
    for number in 0..CLIENTS {
        let open = client.post(format!("{}/v1/streams/account/c{number}/commands/open", server.url));
        let open = open.json(&json!({"owner": "ada", "overdraft_limit": 0})).send().await.unwrap();
        assert_eq!(open.status(), 201);
    }
    let ending = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(deposits(server.url.clone(), format!("c{number}"), Arc::clone(&ending))))
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    ending.store(true, Ordering::Relaxed);
    let (code, lines) = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
    // It says 0 only when requests were answered, leases released, and everything published.
    assert_eq!(code, Some(0), "{lines:?}");

    let (mut all, mut sent) = (0, Vec::new());
    for (number, client) in clients.into_iter().enumerate() {
        let (acknowledged, unanswered) = client.await.unwrap();
        all += acknowledged;
        sent.push((format!("c{number}"), acknowledged, unanswered));
    }
    assert!(all > 0, "no command was carried out");
    for (id, acknowledged, unanswered) in sent {
        // A request may meet a connection that is being closed: then it was not taken, and nothing was done.
        let state = account(&client, &dev.url, &id).await;
        assert_eq!(state["data"]["balance"], json!(acknowledged), "{id}: {unanswered} not answered: {state}");
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let row = client.get(format!("{}/v1/read-models/balances/{id}", dev.url)).send().await.unwrap();
            let row: Value = row.json().await.unwrap();
            if row["data"]["balance"] == json!(acknowledged) {
                break;
            }
            assert!(Instant::now() < deadline, "{id} {row}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
