//! Bad input: a typed problem that says what to do, and nothing changed.

use crate::client::Client;

const ADD: &str = "/v1/streams/counter/a/commands/add";
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn bad_commands_are_named_and_change_nothing() {
    let client = Client::new();
    let deep = format!("{{\"amount\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let cases = [
        ("/v1/streams/counter/a/commands/multiply", "{}", 404, "not-found", "known are add"),
        ("/v1/streams/teapot/a/commands/add", "{}", 404, "not-found", "known are counter, note"),
        (ADD, "{", 400, "invalid-request", "add"),
        (ADD, "", 400, "invalid-request", "add"),
        (ADD, "[]", 400, "invalid-request", "add"),
        (ADD, "{}", 400, "invalid-request", "amount"),
        (ADD, r#"{"amount": "three"}"#, 400, "invalid-request", "amount"),
        (ADD, r#"{"amount": -1}"#, 400, "invalid-request", "amount"),
        (ADD, r#"{"amount": 1.5}"#, 400, "invalid-request", "amount"),
        (ADD, r#"{"amount": 1} {}"#, 400, "invalid-request", "add"),
        (ADD, &deep, 400, "invalid-request", "nested deeper than 64"),
        ("/v1/streams/counter/%20a/commands/add", r#"{"amount": 1}"#, 400, "invalid-request", "white space"),
        ("/v1/streams/counter/a%2Fb/commands/add", r#"{"amount": 1}"#, 400, "invalid-request", "slashes"),
        ("/v1/streams/counter/a%00b/commands/add", r#"{"amount": 1}"#, 400, "invalid-request", "control"),
        (
            "/v1/streams/counter/%2e%2e/commands/add",
            r#"{"amount": 1}"#,
            400,
            "invalid-request",
            "dot segment",
        ),
        ("/v1/nowhere", "{}", 404, "not-found", "/v1/nowhere"),
        ("/v1/streams/counter/a/state", "{}", 405, "method-not-allowed", "POST"),
    ];
    for (path, body, status, slug, says) in cases {
        client.post(path, body).await.is_problem(status, slug).says(says);
    }
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn bad_headers_are_named_and_change_nothing() {
    let client = Client::new();
    let long = "k".repeat(256);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, u16, &str, &str); 11] = [
        (&[("if-match", "42")], 400, "invalid-request", "If-Match"),
        (&[("if-match", "\"1\", \"2\"")], 400, "invalid-request", "If-Match"),
        (&[("if-match", "\"-1\"")], 400, "invalid-request", "If-Match"),
        (&[("if-match", "\"99999999999999999999\"")], 400, "invalid-request", "If-Match"),
        (&[("if-match", "\"1\""), ("if-match", "\"2\"")], 400, "invalid-request", "twice"),
        (&[("if-none-match", "\"1\"")], 400, "invalid-request", "If-None-Match"),
        (&[("if-match", "*"), ("if-none-match", "*")], 400, "invalid-request", "not both"),
        (&[("idempotency-key", "")], 400, "invalid-request", "Idempotency-Key"),
        (&[("idempotency-key", &long)], 400, "invalid-request", "Idempotency-Key"),
        (&[("correlation-id", &"c".repeat(257))], 400, "invalid-request", "correlation-id"),
        (&[("content-type", "text/plain")], 415, "unsupported-media-type", "application/json"),
    ];
    for (headers, status, slug, says) in cases {
        client.post_with(ADD, headers, r#"{"amount": 1}"#).await.is_problem(status, slug).says(says);
    }
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn too_much_is_refused() {
    let client = Client::new();
    let body = format!(r#"{{"amount": 1, "x": "{}"}}"#, "x".repeat(1024 * 1024));
    client.post_with(ADD, &[JSON], &body).await.is_problem(413, "too-large").says("1048576");
    client
        .post("/v1/streams/counter/a/commands/count", r#"{"times": 1001}"#)
        .await
        .is_problem(413, "too-large")
        .says("1000");
    let long = "i".repeat(300);
    client
        .post(&format!("/v1/streams/counter/{long}/commands/add"), r#"{"amount": 1}"#)
        .await
        .is_problem(400, "invalid-request")
        .says("256 bytes");
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn bad_queries_are_named() {
    let client = Client::new();
    for query in ["limit=0", "limit=1001", "limit=x", "dir=up", "from=-1", "to=x", "form=1"] {
        client.get(&format!("/v1/streams/counter/a/events?{query}")).await.is_problem(400, "invalid-request");
    }
    client.get("/v1/streams/counter/a/state?version=x").await.is_problem(400, "invalid-request");
}

#[tokio::test]
async fn a_command_with_parameters_it_does_not_know_is_not_carried_out() {
    let client = Client::new();
    let reply = client.post(&format!("{ADD}?dryrun=true"), r#"{"amount": 1}"#).await;
    reply.is_problem(400, "invalid-request").says("dryrun");
    client.get("/v1/streams/counter/a").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_path_that_is_not_text_is_a_problem() {
    let client = Client::new();
    for path in
        ["/v1/streams/counter/%FF/state", "/v1/streams/counter/%FF/events", "/v1/read-models/values/%FF"]
    {
        client.get(path).await.is_problem(400, "invalid-request").says("UTF-8");
    }
    client.post("/v1/streams/counter/%FF/commands/add", "{}").await.is_problem(400, "invalid-request");
}
