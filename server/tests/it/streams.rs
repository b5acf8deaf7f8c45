//! Streams: state, time travel, pages of events, health.

use crate::client::Client;

async fn counted(commits: u64) -> Client {
    let client = Client::new();
    for _ in 0..commits {
        client.post("/v1/streams/counter/a/commands/count", r#"{"times": 3}"#).await;
    }
    client
}

#[tokio::test]
async fn state_is_folded_at_the_head_and_at_any_version() {
    let client = counted(5).await;
    let state = client.get("/v1/streams/counter/a/state").await;
    assert_eq!(state.body["version"], 15);
    assert_eq!(state.body["data"]["value"], 15);
    assert_eq!(state.header("etag"), Some("\"15\""));
    // Version 7 is inside a commit.
    let past = client.get("/v1/streams/counter/a/state?version=7").await;
    assert_eq!((&past.body["version"], &past.body["data"]["value"]), (&7.into(), &7.into()));
    client
        .get("/v1/streams/counter/a/state?version=16")
        .await
        .is_problem(404, "not-found")
        .says("it is at 15");
    client.get("/v1/streams/counter/a/state?version=0").await.is_problem(400, "invalid-request");
}

#[tokio::test]
async fn a_client_that_has_the_version_gets_no_body() {
    let client = counted(1).await;
    for path in ["/v1/streams/counter/a/state", "/v1/streams/counter/a"] {
        let reply = client.send("GET", path, &[("if-none-match", "\"3\"")], "").await;
        reply.is(304);
        client.send("GET", path, &[("if-none-match", "\"2\"")], "").await.is(200);
    }
}

#[tokio::test]
async fn events_are_paged_in_both_directions_without_hole_or_overlap() {
    let client = counted(9).await;
    for (direction, limit) in
        [("forward", 1), ("forward", 4), ("backward", 1), ("backward", 4), ("backward", 100)]
    {
        let mut versions = Vec::new();
        let mut from = String::new();
        loop {
            let path = format!("/v1/streams/counter/a/events?dir={direction}&limit={limit}{from}");
            let page = client.get(&path).await;
            page.is(200);
            versions.extend(
                page.body["events"].as_array().unwrap().iter().map(|e| e["version"].as_u64().unwrap()),
            );
            match page.body["next"].as_u64() {
                Some(next) => from = format!("&from={next}"),
                None => break,
            }
        }
        if direction == "backward" {
            versions.reverse();
        }
        assert_eq!(versions, (1..=27).collect::<Vec<_>>(), "{direction} by {limit}");
    }
}

#[tokio::test]
async fn a_missing_stream_has_no_events_and_no_state() {
    let client = Client::new();
    let events = client.get("/v1/streams/counter/none/events").await;
    events.is(200);
    assert_eq!(events.body["events"].as_array().unwrap().len(), 0);
    client.get("/v1/streams/counter/none/state").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn health_is_told() {
    let client = Client::new();
    client.get("/livez").await.is(200);
    client.get("/readyz").await.is(200);
}
