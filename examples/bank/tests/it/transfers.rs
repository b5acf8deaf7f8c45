//! Transfers over HTTP: both accounts or none.

use reqwest::Client;
use serde_json::{Value, json};

use crate::real_data::Bank;

async fn opened(bank: &Bank, client: &Client, account: &str, paid_in: u64) {
    for (command, data) in
        [("open", json!({"owner": account, "overdraft_limit": 0})), ("deposit", json!({"amount": paid_in}))]
    {
        let url = bank.url(&format!("/v1/streams/account/{account}/commands/{command}"));
        assert!(client.post(url).json(&data).send().await.unwrap().status().is_success());
    }
}

async fn balance(bank: &Bank, client: &Client, account: &str) -> i64 {
    let url = bank.url(&format!("/v1/streams/account/{account}/state"));
    let state: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    state["data"]["balance"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_money_once_and_both_sides_see_it() {
    let (bank, client) = (Bank::start().await, Client::new());
    opened(&bank, &client, "a", 100).await;
    opened(&bank, &client, "b", 100).await;
    let transfer = json!({"from": "a", "to": "b", "amount": 60, "purpose": "rent"});
    for replayed in [false, true] {
        let request = client.post(bank.url("/v1/transfers")).header("idempotency-key", "t1").json(&transfer);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().contains_key("idempotent-replayed"), replayed);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["streams"][0], json!({"stream": "account/a", "version": 3}));
        assert_eq!(body["streams"][1], json!({"stream": "account/b", "version": 3}));
        assert_eq!((balance(&bank, &client, "a").await, balance(&bank, &client, "b").await), (40, 160));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_one_side_refuses_changes_neither() {
    let (bank, client) = (Bank::start().await, Client::new());
    opened(&bank, &client, "a", 100).await;
    opened(&bank, &client, "b", 100).await;
    let cases = [
        (json!({"from": "a", "to": "b", "amount": 101}), 422, "command-rejected"),
        (json!({"from": "a", "to": "nobody", "amount": 1}), 422, "command-rejected"),
        (json!({"from": "a", "to": "a", "amount": 1}), 400, "invalid-request"),
        (json!({"from": "a", "to": "b/c", "amount": 1}), 400, "invalid-request"),
        (json!({"from": "a", "to": "b", "amount": 0}), 400, "invalid-request"),
        (json!({"from": "a", "to": "b", "amount": 1, "purpos": "x"}), 400, "invalid-request"),
    ];
    for (transfer, status, slug) in cases {
        let response = client.post(bank.url("/v1/transfers")).json(&transfer).send().await.unwrap();
        assert_eq!(response.status(), status, "{transfer}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["type"], format!("/problems/{slug}"), "{transfer}: {body}");
        assert_eq!((balance(&bank, &client, "a").await, balance(&bank, &client, "b").await), (100, 100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_to_and_fro_at_once_lose_nothing() {
    let (bank, client) = (Bank::start().await, Client::new());
    opened(&bank, &client, "a", 1_000).await;
    opened(&bank, &client, "b", 1_000).await;
    let mut tasks = tokio::task::JoinSet::new();
    for (from, to) in [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a")] {
        let (client, url) = (client.clone(), bank.url("/v1/transfers"));
        tasks.spawn(async move {
            for amount in 1..=25 {
                // 409 says that others were faster each time; the client tries again.
                loop {
                    let transfer = json!({"from": from, "to": to, "amount": amount});
                    match client.post(&url).json(&transfer).send().await.unwrap().status().as_u16() {
                        200 => break,
                        409 => {}
                        status => panic!("{from} to {to}: {status}"),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!((balance(&bank, &client, "a").await, balance(&bank, &client, "b").await), (1_000, 1_000));
    let state: Value =
        client.get(bank.url("/v1/streams/account/a/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["version"], 102);
}
