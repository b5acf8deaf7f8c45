//! Commands: answers, preconditions, repeats.

use crate::client::{Client, TRACEPARENT};

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
    let headers = [("correlation-id", "c-1"), ("causation-id", "m-2"), ("traceparent", TRACEPARENT)];
    client.post_with(ADD, &headers, r#"{"amount": 3}"#).await.is(201);
    let events = client.get("/v1/streams/counter/a/events").await;
    let metadata = &events.body["events"][0]["metadata"];
    assert_eq!(metadata["correlation"], "c-1");
    assert_eq!(metadata["causation"], "m-2");
    assert_eq!(metadata["traceparent"], TRACEPARENT);
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let client = Client::new();
    client.post(ADD, r#"{"amount": 3}"#).await.is(201);
    let path = "/v1/streams/counter/a/commands/count?dry_run=true";
    let reply = client.post(path, r#"{"times": 2}"#).await;
    reply.is(200);
    assert_eq!((&reply.body["version"], &reply.body["dry_run"]), (&3.into(), &true.into()));
    assert_eq!(reply.body["events"][1]["version"], 3);
    assert_eq!(reply.body["events"][1]["data"]["amount"], 1);
    let refused = client.post(&format!("{SUBTRACT}?dry_run=true"), r#"{"amount": 4}"#).await;
    refused.is_problem(422, "command-rejected");
    let path = format!("{ADD}?dry_run=true");
    let stale = client.post_with(&path, &[("if-match", "\"7\"")], r#"{"amount": 4}"#);
    stale.await.is_problem(412, "precondition-failed");
    assert_eq!(client.get("/v1/streams/counter/a").await.body["version"], 1);
}

#[tokio::test]
async fn a_command_that_needs_a_version_is_refused_without_one() {
    let client = Client::new();
    let erase = "/v1/streams/note/n/commands/erase";
    client.post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await.is(201);
    client.post(erase, "").await.is_problem(428, "precondition-required").says("If-Match");
    client.post(&format!("{erase}?dry_run=true"), "").await.is_problem(428, "precondition-required");
    assert_eq!(client.get("/v1/streams/note/n").await.body["version"], 1);
    client.post_with(erase, &[("if-match", "\"1\"")], "").await.is(200);
    client.post_with(erase, &[("if-match", "*")], "").await.is_problem(422, "command-rejected");
}

#[tokio::test]
async fn a_panic_in_rules_is_a_problem_and_the_next_command_is_carried_out() {
    let client = Client::new();
    client.post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await.is(201);
    let reply = client.post("/v1/streams/note/n/commands/explode", "").await;
    reply.is_problem(500, "internal").says("explode");
    assert!(
        !reply.body["detail"].as_str().unwrap().contains("the rules explode"),
        "the text of a panic stays inside"
    );
    client.post("/v1/streams/note/n/commands/write", r#"{"text": "b"}"#).await.is(200);
    assert_eq!(client.get("/v1/streams/note/n/state").await.body["data"]["text"], "b");
}

#[tokio::test]
async fn what_is_filled_in_before_a_decision_is_filled_in_once_under_a_key() {
    let client = Client::new();
    let roll = "/v1/streams/note/n/commands/roll";
    let key = [("idempotency-key", "k1")];
    let first = client.post_with(roll, &key, "{}").await;
    first.is(201);
    let again = client.post_with(roll, &key, "{}").await;
    again.is(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body, first.body, "another number was drawn");
    client.post_with(roll, &key, r#"{"number": 5}"#).await.is_problem(422, "idempotency-key-reused");
    let other = client.post_with(roll, &[("idempotency-key", "k2")], "{}").await;
    assert_ne!(other.body["events"][0]["data"], first.body["events"][0]["data"]);
    client.post("/v1/streams/note/unlucky/commands/roll", "{}").await.is_problem(400, "invalid-request");
    client.get("/v1/streams/note/unlucky").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request_and_events_keep_it() {
    let client = Client::new();
    let reply = client.post_with(ADD, &[("x-request-id", "r-1")], r#"{"amount": 3}"#).await;
    assert_eq!(reply.header("x-request-id"), Some("r-1"));
    let events = client.get("/v1/streams/counter/a/events").await;
    assert_eq!(events.body["events"][0]["metadata"]["fields"]["x-request-id"], "r-1");
    assert!(events.header("x-request-id").is_some_and(|id| id.len() == 36));
}
