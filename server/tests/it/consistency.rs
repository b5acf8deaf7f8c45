//! Reading one's own writes: tokens, waits, and what is said when a wait is in vain.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;

const ROW: &str = "/v1/read-models/values/a";
const SORE: &str = "/v1/read-models/sore/n";

#[tokio::test]
async fn a_query_with_a_token_sees_what_the_command_wrote() {
    let client = Client::new();
    for n in 1..=20 {
        let token = client.add("a", 1).await;
        let token = token.header("consistency-token").unwrap();
        let row = client.send("GET", ROW, &[("consistency-token", token), ("prefer", "wait=10")], "").await;
        assert_eq!(row.is(200).body["version"], n);
        assert_eq!(row.header("read-model-freshness"), None);
    }
}

#[tokio::test]
async fn tokens_of_several_streams_are_waited_for_together() {
    let client = Client::new();
    let mut tokens = Vec::new();
    for id in ["a", "b", "c"] {
        tokens.push(client.add(id, 2).await.header("consistency-token").unwrap().to_owned());
    }
    // The read model of counters does not read notes: that part of a token says nothing to it.
    let note = client.post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await;
    tokens.push(note.header("consistency-token").unwrap().to_owned());
    let headers = [("consistency-token", tokens.join(", ")), ("prefer", "wait=10".to_owned())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sum = client.send("GET", "/v1/read-models/sum/all", &headers, "").await;
    assert_eq!(sum.is(200).body["data"]["added"], 6);
    let list = client.send("GET", "/v1/read-models/values?index=value", &headers, "").await;
    assert_eq!(list.is(200).body["rows"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_stands_still_is_named_at_once_and_an_older_row_is_to_be_had() {
    let client = Client::new();
    let token = client.add("a", 1).await.header("consistency-token").unwrap().to_owned();
    client.send("GET", ROW, &[("consistency-token", &token), ("prefer", "wait=10")], "").await.is(200);
    client.post("/v1/admin/projections/values/pause", r#"{"reason": "a test"}"#).await.is(200);
    let token = client.add("a", 1).await.header("consistency-token").unwrap().to_owned();
    let begin = Instant::now();
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=30")];
    let reply = client.send("GET", ROW, &headers, "").await;
    reply.is_problem(409, "projection-paused").says("paused at version 1");
    assert_eq!((&reply.body["applied_version"], &reply.body["wanted_version"]), (&1.into(), &2.into()));
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=30, handling=lenient")];
    let stale = client.send("GET", ROW, &headers, "").await;
    assert_eq!(
        (stale.is(200).header("read-model-freshness"), &stale.body["version"]),
        (Some("stale"), &1.into())
    );
    assert!(begin.elapsed() < Duration::from_secs(20), "it waited for what stands still");
    client.post("/v1/admin/projections/values/resume", r#"{"reason": "a test"}"#).await.is(200);
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=30")];
    assert_eq!(client.send("GET", ROW, &headers, "").await.is(200).body["version"], 2);
}

#[tokio::test]
async fn a_parked_stream_is_named_at_once() {
    let client = Client::new();
    client.post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await.is(201);
    let erase = client.post_with("/v1/streams/note/n/commands/erase", &[("if-match", "*")], "").await;
    let token = erase.is(200).header("consistency-token").unwrap();
    let headers = [("consistency-token", token), ("prefer", "wait=30")];
    let reply = client.send("GET", SORE, &headers, "").await;
    reply.is_problem(409, "stream-parked").says("cannot apply version 2");
    assert_eq!(reply.body["first_failing"], 2);
}

#[tokio::test]
async fn a_wait_that_is_too_short_ends_in_time_and_says_how_far_it_is() {
    // Without a runner nothing is ever applied.
    let (router, _runner) = crate::client::app().in_memory().unwrap();
    let client = Client::of(router);
    let token = client.add("a", 1).await.header("consistency-token").unwrap().to_owned();
    let begin = Instant::now();
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=1")];
    let reply = client.send("GET", ROW, &headers, "").await;
    reply.is_problem(409, "projection-behind").says("version 1 was waited for");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!((&reply.body["applied_version"], &reply.body["retryable"]), (&0.into(), &true.into()));
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");
    let reply = client.send("GET", ROW, &[("consistency-token", token.as_str())], "").await;
    reply.is_problem(409, "projection-behind");
}

#[tokio::test]
async fn a_command_may_wait_for_read_models_and_is_done_in_any_case() {
    let client = Client::new();
    let add = "/v1/streams/counter/a/commands/add";
    let headers = [("prefer", "wait=10, applied=\"values\", applied=sum")];
    let reply = client.post_with(add, &headers, r#"{"amount": 1}"#).await;
    assert_eq!(reply.is(201).body["consistency"], json!({"values": "applied", "sum": "applied"}));
    assert_eq!(client.get(ROW).await.is(200).body["version"], 1);
    client.post("/v1/admin/projections/values/pause", r#"{"reason": "a test"}"#).await.is(200);
    let reply = client.post_with(add, &headers, r#"{"amount": 1}"#).await;
    assert_eq!(reply.is(200).body["consistency"], json!({"values": "pending", "sum": "applied"}));
    let headers = [("prefer", "applied=nothing")];
    client.post_with(add, &headers, r#"{"amount": 1}"#).await.is_problem(404, "not-found");
    let headers = [("prefer", "applied=sore")];
    client.post_with(add, &headers, r#"{"amount": 1}"#).await.is_problem(400, "invalid-request");
    assert_eq!(client.get("/v1/streams/counter/a").await.body["version"], 2);
}

#[tokio::test]
async fn bad_tokens_and_preferences_are_named() {
    let client = Client::new();
    client.send("GET", ROW, &[("consistency-token", "abc")], "").await.is_problem(400, "invalid-token");
    for prefer in ["wait=31", "wait=x", "wait=-1"] {
        let reply = client.send("GET", ROW, &[("prefer", prefer)], "").await;
        reply.is_problem(400, "invalid-request").says("from 0 to 30");
    }
}
