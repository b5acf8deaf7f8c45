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
async fn a_stream_tells_its_snapshot_and_answers_without_a_body_too() {
    let client = counted(5).await;
    let stream = client.get("/v1/streams/counter/a").await;
    // The kit's counter takes a snapshot with the commit that reaches ten events.
    assert_eq!((&stream.body["version"], &stream.body["snapshot_version"]), (&15.into(), &12.into()));
    let head = client.send("HEAD", "/v1/streams/counter/a", &[], "").await;
    assert_eq!((head.is(200).header("stream-version"), &head.body), (Some("15"), &serde_json::Value::Null));
    assert_eq!(client.send("HEAD", "/v1/streams/counter/none", &[], "").await.status.as_u16(), 404);
}

#[tokio::test]
async fn state_at_a_time_is_that_of_the_commits_decided_until_then() {
    let client = counted(3).await;
    let events = client.get("/v1/streams/counter/a/events").await;
    let second = events.body["events"][3]["recorded_at"].as_str().unwrap().to_owned();
    let state = client.get(&format!("/v1/streams/counter/a/state?at={second}")).await;
    let version = state.is(200).body["version"].as_u64().unwrap();
    assert!(version >= 6 && version % 3 == 0, "{version}");
    let past = client.get("/v1/streams/counter/a/state?at=2020-01-31T12:00:00Z").await;
    past.is_problem(404, "not-found").says("had no events");
    let future = client.get("/v1/streams/counter/a/state?at=2200-01-31T12:00:00Z").await;
    assert_eq!(future.is(200).body["version"], 9);
    for bad in ["at=yesterday", "at=2020-01-31", "version=1&at=2020-01-31T12:00:00Z"] {
        client.get(&format!("/v1/streams/counter/a/state?{bad}")).await.is_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn one_event_may_be_kept_for_good() {
    let client = counted(2).await;
    let event = client.get("/v1/streams/counter/a/events/5").await;
    assert_eq!(event.is(200).body["version"], 5);
    assert!(event.header("cache-control").unwrap().contains("immutable"));
    let tag = event.header("etag").unwrap();
    client.send("GET", "/v1/streams/counter/a/events/5", &[("if-none-match", tag)], "").await.is(304);
    client.get("/v1/streams/counter/a/events/7").await.is_problem(404, "not-found");
    for bad in ["0", "-1", "x"] {
        client.get(&format!("/v1/streams/counter/a/events/{bad}")).await.is_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_diff_makes_the_later_state_of_the_earlier_one() {
    let client = counted(3).await;
    let diff = client.get("/v1/streams/counter/a/diff?from=2&to=7").await;
    let patch = serde_json::from_value::<Vec<serde_json::Value>>(diff.is(200).body["patch"].clone()).unwrap();
    assert!(patch.contains(&serde_json::json!({"op": "replace", "path": "/value", "value": 7})), "{patch:?}");
    let versions: Vec<_> = diff.body["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [3, 4, 5, 6, 7]);
    client.get("/v1/streams/counter/a/diff?from=0&to=1").await.is(200);
    client.get("/v1/streams/counter/a/diff?from=2&to=10").await.is_problem(404, "not-found");
    for bad in ["from=2&to=2", "from=3&to=2", "from=0&to=1001", "from=0", "to=5", ""] {
        client.get(&format!("/v1/streams/counter/a/diff?{bad}")).await.is_problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_page_keeps_to_its_ends_and_types_and_says_where_to_go_on() {
    let client = counted(4).await;
    client.post("/v1/streams/counter/a/commands/subtract", r#"{"amount": 1}"#).await;
    let versions = |reply: &crate::client::Reply| -> Vec<u64> {
        reply.body["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["version"].as_u64().unwrap())
            .collect()
    };
    for (query, expected) in [
        ("from=4&to=6", vec![4, 5, 6]),
        ("dir=backward&from=6&to=4", vec![6, 5, 4]),
        ("from=9&to=3", vec![]),
        ("type=Subtracted", vec![13]),
        ("type=Subtracted,Added&from=12", vec![12, 13]),
        ("type=Nothing", vec![]),
    ] {
        let page = client.get(&format!("/v1/streams/counter/a/events?{query}")).await;
        assert_eq!((versions(&page), &page.body["next"]), (expected, &serde_json::Value::Null), "{query}");
    }
    // A page may be empty although more follows.
    let (mut found, mut from) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/streams/counter/a/events?type=Subtracted&limit=1{from}")).await;
        found.extend(versions(&page));
        match page.body["next"].as_u64() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    assert_eq!(found, [13]);
}

#[tokio::test]
async fn a_stream_is_followed_in_order_from_anywhere_and_goes_on_behind_the_last_id() {
    let client = counted(2).await;
    let sse = ("accept", "text/event-stream");
    let mut open = client.open("/v1/streams/counter/a/events?from=3", &[sse]).await;
    assert_eq!(open.headers["content-type"], "text/event-stream");
    assert!(open.headers["cache-control"].to_str().unwrap().contains("no-transform"));
    let first = open.until("caught-up").await;
    let ids: Vec<_> = first.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["3", "4", "5", "6", "6"]);
    assert_eq!((&first[0].data["specversion"], &first[0].data["sequence"]), (&"1.0".into(), &"3".into()));
    client.add("other", 1).await;
    client.add("a", 7).await;
    let next = open.message().await.unwrap();
    assert_eq!((next.id.as_str(), &next.data["data"]["amount"]), ("7", &7.into()));
    drop(open);
    let mut again = client.open("/v1/streams/counter/a/events?from=1", &[sse, ("last-event-id", "6")]).await;
    assert_eq!(again.message().await.unwrap().id, "7");
    let lines = [("accept", "application/x-ndjson")];
    let mut lines = client.open("/v1/streams/counter/a/events?type=Added&from=7", &lines).await;
    let line = lines.line().await.unwrap();
    assert_eq!((&line["cursor"], &line["type"]), (&"7".into(), &"Added".into()));
    assert_eq!(lines.line().await.unwrap()["control"], "caught-up");
    let bad = client.send("GET", "/v1/streams/counter/a/events", &[sse, ("last-event-id", "x")], "").await;
    bad.is_problem(400, "invalid-request");
    let bad = client.send("GET", "/v1/streams/counter/a/events?to=5", &[sse], "").await;
    bad.is_problem(400, "invalid-request");
    let bad = client.send("GET", "/v1/streams/counter/a/events", &[("accept", "image/png")], "").await;
    bad.is_problem(406, "not-acceptable");
}

#[tokio::test]
async fn health_is_told() {
    let client = Client::new();
    client.get("/livez").await.is(200);
    client.get("/readyz").await.is(200);
}
