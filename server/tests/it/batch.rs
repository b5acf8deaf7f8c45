//! Many commands at once, each on its own.

use serde_json::{Value, json};

use crate::client::Client;

const PATH: &str = "/v1/commands";

fn statuses(results: &Value) -> Vec<u64> {
    results.as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_command_has_a_status_of_its_own_in_the_order_they_came() {
    let client = Client::new();
    let body = json!([
        {"stream": "counter/a", "command": "add", "data": {"amount": 3}, "key": "k1"},
        {"stream": "counter/a", "command": "subtract", "data": {"amount": 9}},
        {"stream": "counter/b", "command": "add", "data": {"amount": 1}, "must_be_new": true},
        {"stream": "counter/a", "command": "add", "data": {"amount": 1}, "expected_version": 1},
        {"stream": "counter/a", "command": "add", "data": {"amount": 1}, "expected_version": 1},
        {"stream": "counter/a", "command": "add", "data": {"amount": 3}, "key": "k1"},
        {"stream": "teapot/a", "command": "add", "data": {"amount": 3}},
        {"stream": "counter/a", "command": "multiply"},
        {"stream": "nothing", "command": "add"},
        {"stream": "note/a", "command": "explode"},
        {"stream": "note/a", "command": "erase"},
        {"stream": "counter/a", "command": "add", "expected_version": 1, "must_be_new": true},
    ]);
    let reply = client.post(PATH, &body.to_string()).await;
    reply.is(200);
    let results = &reply.body["results"];
    assert_eq!(statuses(results), [201, 422, 201, 200, 412, 201, 404, 404, 400, 500, 428, 400], "{results}");
    assert_eq!(results[1]["code"], "below-zero");
    assert_eq!(results[4]["events_since"], json!(["Added"]));
    assert_eq!((&results[5]["replayed"], &results[5]["version"]), (&true.into(), &1.into()));
    assert_eq!(client.get("/v1/streams/counter/a/state").await.body["data"]["value"], 4);
    let token = results[3]["consistency_token"].as_str().unwrap();
    let headers = [("consistency-token", token), ("prefer", "wait=10")];
    let row = client.send("GET", "/v1/read-models/values/a", &headers, "").await;
    assert_eq!(row.is(200).body["version"], 2);
}

#[tokio::test]
async fn commands_may_come_and_go_a_line_each() {
    let client = Client::new();
    let line = |n: u64| json!({"stream": "counter/a", "command": "add", "data": {"amount": n}}).to_string();
    let body = format!("{}\n\n{}\r\n{}", line(1), line(2), line(3));
    let headers = [("content-type", "application/x-ndjson"), ("accept", "application/json")];
    let reply = client.post_with(PATH, &headers, &body).await;
    assert_eq!(statuses(&reply.is(200).body["results"]), [201, 200, 200]);
    let lines = client.open_post(PATH, &[("accept", "application/x-ndjson")], &body).await;
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["version"], 6);
}

#[tokio::test]
async fn a_batch_that_does_not_fit_is_named_and_nothing_is_carried_out() {
    let client = Client::new();
    let add = json!({"stream": "counter/a", "command": "add", "data": {"amount": 1}});
    let many = Value::Array(vec![add.clone(); 101]).to_string();
    let lines = vec![add.to_string(); 101].join("\n");
    let half = format!("{add}\n{{\"stream\": 5}}");
    let unknown = json!([add, {"stream": "counter/a", "command": "add", "kex": "k"}]).to_string();
    for (body, says) in [
        ("[]", "none"),
        ("", "none"),
        (&many, "more than 100"),
        (&lines, "more than 100"),
        (&half, "line 2"),
        (&unknown, "kex"),
        ("[{]", "does not fit"),
    ] {
        client.post(PATH, body).await.is_problem(400, "invalid-request").says(says);
    }
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_dry_run_of_many_changes_nothing() {
    let client = Client::new();
    let body = json!([{"stream": "counter/a", "command": "add", "data": {"amount": 1}}]).to_string();
    let reply = client.post("/v1/commands?dry_run=true", &body).await;
    assert_eq!(reply.is(200).body["results"][0]["dry_run"], true);
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}
