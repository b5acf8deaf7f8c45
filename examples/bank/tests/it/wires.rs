//! Wires between accounts: money arrives, or it comes back.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

use crate::real_data::Bank;

/// A client of a bank at this address.
struct At {
    url: String,
    client: Client,
}

impl At {
    fn new(url: &str) -> Self {
        Self { url: url.to_owned(), client: Client::new() }
    }

    /// Sends a command until it is answered for sure: the server may be down or restarting.
    async fn command(&self, account: &str, command: &str, key: &str, data: &Value) -> (u16, Value) {
        let url = format!("{}/v1/streams/account/{account}/commands/{command}", self.url);
        let response = self.client.post(url).header("idempotency-key", key).json(data).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn open(&self, account: &str, paid_in: u64) {
        let open = json!({"owner": account, "overdraft_limit": 0});
        assert!(self.command(account, "open", "open", &open).await.0 < 300);
        if paid_in > 0 {
            assert!(self.command(account, "deposit", "first", &json!({"amount": paid_in})).await.0 < 300);
        }
    }

    async fn balance(&self, account: &str) -> i64 {
        let url = format!("{}/v1/streams/account/{account}/state", self.url);
        let state: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        state["data"]["balance"].as_i64().unwrap()
    }

    /// The types of an account's events, counted.
    async fn count(&self, account: &str, name: &str) -> usize {
        let url = format!("{}/v1/streams/account/{account}/events?limit=1000", self.url);
        let page: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        let events = page["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter(|event| event["type"] == name).count()
    }

    async fn until(&self, what: &str, mut done: impl AsyncFnMut(&Self) -> bool) {
        for _ in 0..1_200 {
            if done(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wire_arrives_and_one_that_cannot_comes_back() {
    let bank = Bank::start().await;
    let at = At::new(&bank.url(""));
    at.open("a", 100).await;
    at.open("b", 0).await;
    assert_eq!(at.command("a", "send-wire", "1", &json!({"to": "b", "amount": 60})).await.0, 200);
    at.until("it arrives", async |at| at.balance("b").await == 60).await;
    assert_eq!(at.balance("a").await, 40);
    // Nobody has opened this one, so the money comes back.
    assert_eq!(at.command("a", "send-wire", "2", &json!({"to": "nobody", "amount": 30})).await.0, 200);
    at.until("it comes back", async |at| at.count("a", "WireRefunded").await == 1).await;
    assert_eq!((at.balance("a").await, at.count("nobody", "WireBounced").await), (40, 1));
    for (data, code) in [
        (json!({"to": "b", "amount": 41}), "overdrawn"),
        (json!({"to": "b/c", "amount": 1}), "not-an-account"),
    ] {
        let (status, body) = at.command("a", "send-wire", "3", &data).await;
        assert_eq!((status, body["code"].as_str()), (422, Some(code)), "{body}");
    }
}
