//! Commands: answers, preconditions, repeats.

use crate::client::Client;

const ADD: &str = "/v1/streams/counter/a/commands/add";
const SUBTRACT: &str = "/v1/streams/counter/a/commands/subtract";

#[tokio::test]
async fn the_first_command_makes_the_stream() {
    let client = Client::new();
    let reply = client.post(ADD, r#"{"amount": 3}"#).await;
    reply.is(201);
    assert_eq!(reply.header("etag"), Some("\"1\""));
    assert_eq!(reply.header("stream-version"), Some("1"));
    assert_eq!(reply.header("location"), Some("/v1/streams/counter/a"));
    assert_eq!(reply.body["version"], 1);
    assert_eq!(reply.body["events"][0]["type"], "Added");
    assert_eq!(reply.body["events"][0]["data"]["amount"], 3);

    let reply = client.post(ADD, r#"{"amount": 4}"#).await;
    reply.is(200);
    assert_eq!(reply.header("location"), None);
    assert_eq!(reply.header("etag"), Some("\"2\""));
}

#[tokio::test]
async fn a_command_without_effect_leaves_the_version() {
    let client = Client::new();
    client.post(ADD, r#"{"amount": 3}"#).await.is(201);
    let reply = client.post(ADD, r#"{"amount": 0}"#).await;
    reply.is(200);
    assert_eq!(reply.header("etag"), Some("\"1\""));
    assert_eq!(reply.body["events"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refusal_has_its_code_and_fields() {
    let client = Client::new();
    let reply = client.post(SUBTRACT, r#"{"amount": 3}"#).await;
    reply.is_problem(422, "command-rejected").says("cannot go below zero");
    assert_eq!(reply.body["code"], "below-zero");
    assert_eq!(reply.body["refusal"]["value"], 0);
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn if_match_is_honoured_and_says_what_happened_since() {
    let client = Client::new();
    for _ in 0..3 {
        client.post(ADD, r#"{"amount": 1}"#).await;
    }
    let reply = client.post_with(ADD, &[("if-match", "\"1\"")], r#"{"amount": 1}"#).await;
    reply.is_problem(412, "precondition-failed");
    assert_eq!(reply.body["expected_version"], 1);
    assert_eq!(reply.body["current_version"], 3);
    assert_eq!(reply.body["events_since"], serde_json::json!(["Added", "Added"]));
    client.post_with(ADD, &[("if-match", "\"3\"")], r#"{"amount": 1}"#).await.is(200);
    client.post_with(ADD, &[("if-match", "W/\"4\"")], r#"{"amount": 1}"#).await.is(200);
    client.post_with(ADD, &[("if-match", "*")], r#"{"amount": 1}"#).await.is(200);
    let state = client.get("/v1/streams/counter/a/state").await;
    assert_eq!(state.body["data"]["value"], 6);
}

#[tokio::test]
async fn if_match_on_nothing_and_if_none_match_on_something_fail() {
    let client = Client::new();
    let reply = client.post_with(ADD, &[("if-match", "\"5\"")], r#"{"amount": 1}"#).await;
    reply.is_problem(412, "precondition-failed");
    assert_eq!(reply.body["current_version"], 0);
    client
        .post_with(ADD, &[("if-match", "*")], r#"{"amount": 1}"#)
        .await
        .is_problem(412, "precondition-failed");
    client.post_with(ADD, &[("if-none-match", "*")], r#"{"amount": 1}"#).await.is(201);
    client
        .post_with(ADD, &[("if-none-match", "*")], r#"{"amount": 1}"#)
        .await
        .is_problem(412, "precondition-failed");
    assert_eq!(client.get("/v1/streams/counter/a").await.body["version"], 1);
}

#[tokio::test]
async fn the_same_key_is_carried_out_once_whatever_if_match_says() {
    let client = Client::new();
    let headers = [("idempotency-key", "k1"), ("if-none-match", "*")];
    let first = client.post_with(ADD, &headers, r#"{"amount": 3}"#).await;
    first.is(201);
    assert_eq!(first.header("idempotent-replayed"), None);
    client.post(ADD, r#"{"amount": 1}"#).await.is(200);
    // The same content with other white space is the same command.
    let again = client.post_with(ADD, &headers, r#"{ "amount":3 }"#).await;
    again.is(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    assert_eq!(client.get("/v1/streams/counter/a").await.body["version"], 2);
}

#[tokio::test]
async fn a_key_used_for_another_command_is_refused() {
    let client = Client::new();
    let key = [("idempotency-key", "k1")];
    client.post_with(ADD, &key, r#"{"amount": 3}"#).await.is(201);
    client.post_with(ADD, &key, r#"{"amount": 4}"#).await.is_problem(422, "idempotency-key-reused");
    client.post_with(SUBTRACT, &key, r#"{"amount": 3}"#).await.is_problem(422, "idempotency-key-reused");
    assert_eq!(client.get("/v1/streams/counter/a").await.body["version"], 1);
}

#[tokio::test]
async fn metadata_goes_from_headers_into_events() {
    let client = Client::new();
    let headers = [("correlation-id", "c-1"), ("causation-id", "m-2"), ("traceparent", "00-1-2-01")];
    client.post_with(ADD, &headers, r#"{"amount": 3}"#).await.is(201);
    let events = client.get("/v1/streams/counter/a/events").await;
    let metadata = &events.body["events"][0]["metadata"];
    assert_eq!(metadata["correlation"], "c-1");
    assert_eq!(metadata["causation"], "m-2");
    assert_eq!(metadata["traceparent"], "00-1-2-01");
}
