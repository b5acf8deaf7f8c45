//! Read models: the catalogue and rows by key.

use std::time::Duration;

use crate::client::{Client, Reply};

/// Asks until a row has a version, a few seconds at most.
async fn row_at(client: &Client, path: &str, version: u64) -> Reply {
    for _ in 0..500 {
        let reply = client.get(path).await;
        if reply.body["version"].as_u64() >= Some(version) {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} did not reach version {version}");
}

#[tokio::test]
async fn a_row_has_key_version_and_data() {
    let client = Client::new();
    for _ in 0..3 {
        client.post("/v1/streams/counter/a/commands/add", r#"{"amount": 2}"#).await;
    }
    let row = row_at(&client, "/v1/read-models/values/a", 3).await;
    assert_eq!(row.body, serde_json::json!({"key": "a", "version": 3, "data": {"value": 6}}));
    assert_eq!(row.header("etag"), Some("\"g1.3\""));
    client.send("GET", "/v1/read-models/values/a", &[("if-none-match", "\"g1.3\"")], "").await.is(304);
}

#[tokio::test]
async fn a_row_may_be_fed_by_many_streams() {
    let client = Client::new();
    for id in ["a", "b", "c"] {
        client.post(&format!("/v1/streams/counter/{id}/commands/add"), r#"{"amount": 2}"#).await;
    }
    for _ in 0..500 {
        let row = client.get("/v1/read-models/sum/all").await;
        if row.body["data"]["added"] == 6 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the sum was not reached");
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let client = Client::new();
    client.get("/v1/read-models/values/none").await.is_problem(404, "not-found").says("none");
    client.get("/v1/read-models/nothing/a").await.is_problem(404, "not-found").says("values");
    let catalogue = client.get("/v1/read-models").await;
    assert_eq!(catalogue.body["read_models"][0]["name"], "sum");
    assert_eq!(catalogue.body["read_models"][1]["name"], "values");
}
