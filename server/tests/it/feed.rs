//! The feed over HTTP: pages, server-sent events, lines; going on from anywhere without loss.

use std::collections::BTreeSet;

use crate::client::{Client, Message, TRACEPARENT};

const SSE: (&str, &str) = ("accept", "text/event-stream");

async fn filled(counters: u64) -> Client {
    let client = Client::new();
    for n in 0..counters {
        client.add(&format!("c{n}"), 1).await;
        client.post(&format!("/v1/streams/counter/c{n}/commands/count"), r#"{"times": 3}"#).await.is(200);
    }
    client
}

/// Stream and version of every event.
fn names(events: &[Message]) -> Vec<String> {
    let events = events.iter().filter(|message| message.event == "message");
    events.map(|event| name(&event.data)).collect()
}

fn name(event: &serde_json::Value) -> String {
    format!("{}/{}", event["subject"].as_str().unwrap(), event["sequence"].as_str().unwrap())
}

fn all(counters: u64) -> BTreeSet<String> {
    (0..counters).flat_map(|n| (1..=4).map(move |version| format!("c{n}/{version}"))).collect()
}

#[tokio::test]
async fn pages_of_any_size_give_every_event_once_in_order_for_each_stream() {
    let client = filled(12).await;
    for limit in [1, 5, 1_000] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/v1/events?limit={limit}{cursor}")).await;
            page.is(200);
            seen.extend(page.body["events"].as_array().unwrap().iter().map(name));
            cursor = format!("&cursor={}", page.body["cursor"].as_str().unwrap());
            if page.body["caught_up"] == true {
                break;
            }
        }
        assert_eq!(seen.len(), 48, "by {limit}");
        assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), all(12), "by {limit}");
        for n in 0..12 {
            let of_one: Vec<_> = seen.iter().filter(|name| name.starts_with(&format!("c{n}/"))).collect();
            assert!(of_one.is_sorted(), "{of_one:?}");
        }
        // What comes later is behind the cursor.
        let before = client.get(&format!("/v1/events?{cursor}")).await;
        assert_eq!(before.body["events"].as_array().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn an_event_is_a_cloud_event() {
    let client = Client::new();
    let headers = [("correlation-id", "c-1"), ("traceparent", TRACEPARENT)];
    client.post_with("/v1/streams/counter/%C3%BC/commands/add", &headers, r#"{"amount": 3}"#).await.is(201);
    let page = client.get("/v1/events").await;
    let event = &page.body["events"][0];
    for (name, value) in [
        ("specversion", "1.0"),
        ("source", "/v1/streams/counter/%C3%BC"),
        ("subject", "ü"),
        ("type", "Added"),
        ("sequence", "1"),
        ("datacontenttype", "application/json"),
        ("category", "counter"),
        ("correlationid", "c-1"),
        ("traceparent", TRACEPARENT),
    ] {
        assert_eq!(event[name], value, "{event}");
    }
    assert_eq!(event["data"]["amount"], 3);
    assert!(event["id"].as_str().unwrap().ends_with(".0"));
}

#[tokio::test]
async fn whoever_goes_on_from_any_id_misses_nothing() {
    let client = filled(4).await;
    let mut open = client.open("/v1/events", &[SSE]).await;
    let whole = open.until("caught-up").await;
    assert_eq!(names(&whole).into_iter().collect::<BTreeSet<_>>(), all(4));
    drop(open);
    for cut in 0..whole.len() {
        let last = whole[cut].id.as_str();
        let mut again = client.open("/v1/events", &[SSE, ("last-event-id", last)]).await;
        let rest = again.until("caught-up").await;
        let seen: BTreeSet<_> = names(&whole[..=cut]).into_iter().chain(names(&rest)).collect();
        assert_eq!(seen, all(4), "cut after {cut}");
        // At most the rest of a commit comes twice.
        assert!(names(&whole[..=cut]).len() + names(&rest).len() <= 16 + 2, "cut after {cut}");
    }
}

#[tokio::test]
async fn what_is_appended_comes_at_once_to_everybody() {
    let client = filled(2).await;
    let mut live = client.open("/v1/events?since=now", &[SSE]).await;
    let before = live.until("caught-up").await;
    let mut oldest = client.open("/v1/events", &[SSE]).await;
    assert_eq!(names(&oldest.until("caught-up").await).len(), 8);
    let lines = [("accept", "application/x-ndjson")];
    let mut lines = client.open("/v1/events?since=now&type=Subtracted", &lines).await;
    while lines.line().await.unwrap()["control"] != "caught-up" {}
    for n in 1..=50 {
        client.add("new", 1).await;
        for open in [&mut live, &mut oldest] {
            let message = open.message().await.unwrap();
            assert_eq!(name(&message.data), format!("new/{n}"));
        }
    }
    client.post("/v1/streams/counter/new/commands/subtract", r#"{"amount": 1}"#).await.is(200);
    let line = lines.line().await.unwrap();
    assert_eq!((name(&line), line["cursor"].as_str().unwrap().is_empty()), ("new/51".to_owned(), false));
    // From now on begins a little earlier, because clocks differ; what it gave twice has the same ids.
    assert!(names(&before).len() <= 8);
}

#[tokio::test]
async fn filters_pass_what_is_asked_for_and_nothing_else() {
    let client = filled(2).await;
    client.post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await.is(201);
    client.post("/v1/streams/counter/c0/commands/subtract", r#"{"amount": 1}"#).await.is(200);
    for (query, expected) in [
        ("category=note", vec!["n/1"]),
        ("type=Subtracted", vec!["c0/5"]),
        ("category=note,counter&type=Written,%20Subtracted", vec!["c0/5", "n/1"]),
        ("category=note&type=Added", vec![]),
        ("since=2200-01-01T00:00:00Z", vec![]),
        ("since=2020-01-01T00:00:00Z&category=note", vec!["n/1"]),
    ] {
        let page = client.get(&format!("/v1/events?{query}")).await;
        let mut seen: Vec<_> = page.is(200).body["events"].as_array().unwrap().iter().map(name).collect();
        seen.sort_unstable();
        assert_eq!(seen, expected, "{query}");
        let mut open = client.open(&format!("/v1/events?{query}"), &[SSE]).await;
        let mut seen = names(&open.until("caught-up").await);
        seen.sort_unstable();
        assert_eq!(seen, expected, "{query}");
    }
}

#[tokio::test]
async fn bad_questions_about_the_feed_are_named() {
    let client = filled(1).await;
    let page = client.get("/v1/events").await;
    let cursor = page.body["cursor"].as_str().unwrap();
    let cut = &cursor[..cursor.len() - 3];
    for (query, status, slug) in [
        (format!("cursor={cut}"), 400, "invalid-cursor"),
        ("cursor=".to_owned(), 400, "invalid-cursor"),
        ("cursor=%00".to_owned(), 400, "invalid-cursor"),
        (format!("cursor={cursor}&since=now"), 400, "invalid-request"),
        ("since=yesterday".to_owned(), 400, "invalid-request"),
        ("limit=0".to_owned(), 400, "invalid-request"),
        ("limit=1001".to_owned(), 400, "invalid-request"),
        ("category=teapot".to_owned(), 404, "not-found"),
        ("kind=x".to_owned(), 400, "invalid-request"),
    ] {
        client.get(&format!("/v1/events?{query}")).await.is_problem(status, slug);
    }
    let both = [SSE, ("last-event-id", cut)];
    client.send("GET", "/v1/events", &both, "").await.is_problem(400, "invalid-cursor");
    client.send("GET", "/v1/events?limit=5", &[SSE], "").await.is_problem(400, "invalid-request");
    client.send("GET", "/v1/events", &[("accept", "text/html")], "").await.is_problem(406, "not-acceptable");
    // A cursor of a feed that had more than this one.
    let other = Client::new();
    other.get(&format!("/v1/events?cursor={cursor}")).await.is_problem(410, "cursor-expired");
}
