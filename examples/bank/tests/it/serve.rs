//! `bank serve`: several processes on one ledger, over the look-alikes of a `bank dev`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::Dev;
use crate::real_data::run;

/// How long a read model may take to follow, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

async fn send(client: &reqwest::Client, url: &str, id: &str, name: &str, data: &Value) {
    let answer =
        client.post(format!("{url}/v1/streams/account/{id}/commands/{name}")).json(data).send().await;
    let answer = answer.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
}

async fn balance(client: &reqwest::Client, url: &str, id: &str, expected: &Value) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = client.get(format!("{url}/v1/read-models/balances/{id}")).send().await.unwrap();
        let row: Value = answer.json().await.unwrap();
        if &row["data"]["balance"] == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{url} {row}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_answer_and_processes_that_keep_read_models_work_as_one() {
    let dev = Dev::start(&[]);
    let api = dev.serve(&["--role", "api"]);
    let worker = dev.serve(&["--role", "worker", "--only", "balances"]);
    let client = reqwest::Client::new();
    send(&client, &api.url, "1", "open", &json!({"owner": "ada", "overdraft_limit": 0})).await;
    send(&client, &dev.url, "1", "deposit", &json!({"amount": 250})).await;
    for url in [&api.url, &dev.url] {
        balance(&client, url, "1", &json!(250)).await;
    }

    // A worker answers those who look after it, and nobody else.
    let alive = client.get(format!("{}/readyz", worker.url)).send().await.unwrap();
    assert_eq!(alive.status(), 200);
    let asked = client.get(format!("{}/v1/read-models/balances/1", worker.url)).send().await.unwrap();
    assert_eq!(asked.status(), 404);

    // Readers are paused in the process that is asked, and one that has none says so.
    let pause = async |url: &str, projection: &str| {
        let order = client.post(format!("{url}/v1/admin/projections/{projection}/pause"));
        let answer = order.json(&json!({"reason": "a test"})).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, paused) = pause(&worker.url, "balances").await;
    assert_eq!((status, &paused["state"]), (200, &json!("paused")), "{paused}");
    let (status, other) = pause(&worker.url, "daily-totals").await;
    assert_eq!(status, 404, "another group keeps it: {other}");
    let (status, refused) = pause(&api.url, "balances").await;
    assert_eq!(status, 404, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("--role worker"), "{refused}");

    for process in [api, worker] {
        let (code, lines) = process.terminate();
        assert_eq!(code, Some(0), "{lines:?}");
    }
}

#[test]
fn a_server_that_everybody_could_reach_is_refused_and_so_is_a_place_that_is_not_there() {
    let cases: [(&[&str], i32, &str); 4] = [
        (&["serve", "--listen", "0.0.0.0:0"], 3, "can be reached from elsewhere"),
        (&["serve", "--dev=1"], 4, "no `dev` answers at http://127.0.0.1:1"),
        (&["serve", "--only", "balances"], 2, "--role worker"),
        (&["serve", "--role", "boss"], 2, "worker"),
    ];
    for (arguments, code, says) in cases {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}
