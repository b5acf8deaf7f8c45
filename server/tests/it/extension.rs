//! Routes of the application with the preconditions, keys and waits of the built-in ones.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use headwater::Id;
use headwater::testing::counter::{Counter, CounterCommand};
use headwater_server::{CommandOptions, Consistency, JsonBody, Problem, Services, executed_response};
use serde::Deserialize;

use crate::client::{Client, app};

#[derive(Deserialize)]
struct Bump {
    by: u64,
}

async fn bump(
    State(services): State<Services>,
    Path(id): Path<String>,
    CommandOptions(options): CommandOptions,
    JsonBody(Bump { by }): JsonBody<Bump>,
) -> Result<Response, Problem> {
    let id = Id::<Counter>::new(&id)?;
    let executed = services.executor.execute_with(&id, CounterCommand::Add { amount: by }, &options).await;
    executed_response(executed.map_err(Problem::of)?)
}

async fn value(
    State(services): State<Services>,
    Path(id): Path<String>,
    consistency: Consistency,
) -> Result<Response, Problem> {
    let freshness = consistency.reached(&services, "values").await?;
    let row = services.read_models.get("values", &id).await?;
    let fields = row.and_then(|row| row.fields).ok_or_else(|| Problem::not_found("no such counter"))?;
    let mut response = ([("content-type", "application/json")], fields).into_response();
    freshness.mark(&mut response);
    Ok(response)
}

async fn explode() {
    panic!("a route explodes");
}

fn client() -> Client {
    let own = Router::new()
        .route("/bump/{id}", post(bump))
        .route("/value/{id}", get(value))
        .route("/explode", get(explode));
    let (router, runner) = app().routes(own).in_memory().unwrap();
    tokio::spawn(runner.run(std::future::pending::<()>()));
    Client::of(router)
}

#[tokio::test]
async fn own_routes_have_keys_preconditions_and_waits() {
    let client = client();
    let key = [("idempotency-key", "k"), ("if-none-match", "*")];
    let first = client.post_with("/bump/a", &key, r#"{"by": 5}"#).await;
    assert_eq!(
        (first.is(201).header("etag"), &first.body["events"][0]["type"]),
        (Some("\"1\""), &"Added".into())
    );
    let again = client.post_with("/bump/a", &key, r#"{"by": 5}"#).await;
    assert_eq!(again.is(201).header("idempotent-replayed"), Some("true"));
    client
        .post_with("/bump/a", &[("if-match", "\"7\"")], r#"{"by": 5}"#)
        .await
        .is_problem(412, "precondition-failed");
    client.post("/bump/a", r#"{"by": "x"}"#).await.is_problem(400, "invalid-request").says("by");
    let headers = [("consistency-token", first.header("consistency-token").unwrap()), ("prefer", "wait=10")];
    assert_eq!(client.send("GET", "/value/a", &headers, "").await.is(200).body["value"], 5);
}

#[tokio::test]
async fn a_route_that_panics_answers_and_the_next_one_too() {
    let client = client();
    client.get("/explode").await.is_problem(500, "internal");
    client.get("/livez").await.is(200);
}
