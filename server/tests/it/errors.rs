//! Every kind of problem over a real socket, and the page that its `type` names.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use headwater::store::{Append, Appended, Capabilities, Page, Read, Scan, ScanPage, StoreError, Transaction};
use headwater::testing::counter::Counter;
use headwater::{CommitId, EventStore, StreamName};
use headwater_projections::{MemoryRows, Runner};
use headwater_server::{Problem, ProblemKind};
use headwater_store_memory::MemoryStore;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::client::{app, base};

/// A store whose streams say in their name how it fails.
#[derive(Debug)]
struct Failing(MemoryStore);

#[async_trait]
impl EventStore for Failing {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let stream = append.stream.clone();
        let lost = || "the line was cut".into();
        match stream.id() {
            "contended" => {
                Err(StoreError::conflict(stream.clone(), append.expected, headwater::Version(0), None))
            }
            "busy" => Err(StoreError::Overloaded { reason: "too much".to_owned(), retry_after: None }),
            "gone" => Err(StoreError::Unavailable { attempted: "write".to_owned(), source: lost() }),
            "lost" => Err(StoreError::OutcomeUnknown { stream, commit: CommitId::new(), source: lost() }),
            _ => self.0.append(append).await,
        }
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.0.append_all(transaction).await
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        if stream.id() == "torn" {
            let (stream, version) = (stream.clone(), headwater::Version(1));
            return Err(StoreError::Corrupt { stream, version, reason: "half of it is missing".to_owned() });
        }
        self.0.read(stream, read).await
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.0.scan(scan).await
    }
}

/// What provokes a problem: method, path, headers, body.
type Case = (ProblemKind, &'static str, String, Vec<(&'static str, String)>, String);

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

/// Kinds that the server around the routes answers with; its own tests reach them.
const AROUND: [ProblemKind; 5] = [
    ProblemKind::Unauthenticated,
    ProblemKind::Forbidden,
    ProblemKind::RequestTimeout,
    ProblemKind::DeadlineExceeded,
    ProblemKind::Draining,
];

#[tokio::test]
async fn every_kind_of_problem_is_answered_with_its_status_type_and_page() {
    // What routes answer with when they must; an application's own may say the same.
    let own =
        Router::new().route("/rebuilt", get(async || Problem::new(ProblemKind::RebuildNeeded, "it is old")));
    let (router, runner) = app().routes(own).in_memory().unwrap();
    tokio::spawn(runner.run(std::future::pending::<()>()));
    let url = serve(router).await;
    let store = Arc::new(Failing(MemoryStore::new()));
    let feed = Arc::new(MemoryStore::new());
    let runner = Runner::new(store.clone(), feed, Arc::new(MemoryRows::new()));
    let (router, _runner) = base().aggregate::<Counter>().on_store(store, runner).unwrap();
    let failing = serve(router).await;
    let http = reqwest::Client::new();

    let post = |path: &str, body: &str| http.post(format!("{url}{path}")).body(body.to_owned()).send();
    let written = post("/v1/streams/note/n/commands/write", r#"{"text": "a"}"#).await.unwrap();
    let erase = http.post(format!("{url}/v1/streams/note/n/commands/erase")).header("if-match", "*");
    let erased = erase.send().await.unwrap();
    let token = |reply: &reqwest::Response| reply.headers()["consistency-token"].to_str().unwrap().to_owned();
    let (written, erased) = (token(&written), token(&erased));
    post("/v1/streams/counter/k/commands/add", r#"{"amount": 1}"#).await.unwrap();
    let fresh = |token: &str| vec![("consistency-token", token.to_owned()), ("prefer", "wait=20".to_owned())];
    let parked = http.get(format!("{url}/v1/read-models/sore/n"));
    let parked = fresh(&erased).into_iter().fold(parked, |parked, (name, value)| parked.header(name, value));
    assert_eq!(parked.send().await.unwrap().status(), 409);
    // Nobody carries it out here, so it is cancelled at once.
    let why = r#"{"reason": "a test"}"#;
    assert_eq!(post("/v1/admin/projections/values/rebuilds", why).await.unwrap().status(), 202);
    assert_eq!(post("/v1/admin/operations/values-1/cancel", why).await.unwrap().status(), 200);
    let add = r#"{"amount": 1}"#;
    let counter = |id: &str| format!("/v1/streams/counter/{id}/commands/add");
    let other: Value = reqwest::get(format!("{url}/v1/events")).await.unwrap().json().await.unwrap();
    let expired = format!("/v1/events?cursor={}", other["cursor"].as_str().unwrap());
    let paused = r#"{"reason": "a test"}"#;
    post("/v1/admin/projections/values/pause", paused).await.unwrap();
    let late = post(&counter("late"), add).await.unwrap();
    let late = token(&late);
    // On the store that fails, nobody keeps the read models.
    let none: Vec<(&str, String)> = Vec::new();
    let key = |key: &str| vec![("idempotency-key", key.to_owned())];
    let keyed = http.post(format!("{url}{}", counter("key"))).header("idempotency-key", "k").body(add).send();
    keyed.await.unwrap();

    let kind = |name: &str, value: &str| {
        vec![(if name == "type" { "content-type" } else { "accept" }, value.to_owned())]
    };
    let cases: Vec<(&str, Case)> = vec![
        (&url, (ProblemKind::InvalidRequest, "POST", counter("x"), none.clone(), "{".to_owned())),
        (
            &url,
            (
                ProblemKind::InvalidCursor,
                "GET",
                "/v1/events?cursor=x".to_owned(),
                none.clone(),
                String::new(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::InvalidToken,
                "GET",
                "/v1/read-models/values/a".to_owned(),
                fresh("x"),
                String::new(),
            ),
        ),
        (&url, (ProblemKind::NotFound, "GET", "/v1/nothing".to_owned(), none.clone(), String::new())),
        (
            &url,
            (ProblemKind::MethodNotAllowed, "DELETE", "/v1/events".to_owned(), none.clone(), String::new()),
        ),
        (
            &url,
            (
                ProblemKind::NotAcceptable,
                "GET",
                "/v1/events".to_owned(),
                kind("accept", "image/png"),
                String::new(),
            ),
        ),
        (
            &failing,
            (ProblemKind::ConcurrentModification, "POST", counter("contended"), none.clone(), add.to_owned()),
        ),
        (
            &url,
            (
                ProblemKind::ProjectionPaused,
                "GET",
                "/v1/read-models/values/late".to_owned(),
                fresh(&late),
                String::new(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::StreamParked,
                "GET",
                "/v1/read-models/sore/n".to_owned(),
                fresh(&erased),
                String::new(),
            ),
        ),
        (&url, (ProblemKind::RebuildNeeded, "GET", "/rebuilt".to_owned(), none.clone(), String::new())),
        (
            &url,
            (
                ProblemKind::CountChanged,
                "POST",
                "/v1/admin/parked/retry".to_owned(),
                none.clone(),
                r#"{"projection": "sore", "reason": "r", "confirm_count": 9}"#.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::NotSwitched,
                "POST",
                "/v1/admin/projections/sore/rollback".to_owned(),
                none.clone(),
                r#"{"reason": "r"}"#.to_owned(),
            ),
        ),
        (&failing, (ProblemKind::CursorExpired, "GET", expired, none.clone(), String::new())),
        (
            &url,
            (
                ProblemKind::PreconditionFailed,
                "POST",
                counter("k"),
                vec![("if-match", "\"9\"".to_owned())],
                add.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::TooLarge,
                "POST",
                "/v1/streams/counter/k/commands/count".to_owned(),
                none.clone(),
                r#"{"times": 1001}"#.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::UnsupportedMediaType,
                "POST",
                counter("k"),
                kind("type", "text/plain"),
                add.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::CommandRejected,
                "POST",
                "/v1/streams/counter/k/commands/subtract".to_owned(),
                none.clone(),
                r#"{"amount": 99}"#.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::IdempotencyKeyReused,
                "POST",
                counter("key"),
                key("k"),
                r#"{"amount": 2}"#.to_owned(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::PreconditionRequired,
                "POST",
                "/v1/streams/note/n/commands/erase".to_owned(),
                none.clone(),
                String::new(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::Internal,
                "POST",
                "/v1/streams/note/n/commands/explode".to_owned(),
                none.clone(),
                String::new(),
            ),
        ),
        (
            &url,
            (
                ProblemKind::OperationEnded,
                "POST",
                "/v1/admin/operations/values-1/cancel".to_owned(),
                none.clone(),
                why.to_owned(),
            ),
        ),
        (&failing, (ProblemKind::Unreadable, "POST", counter("torn"), none.clone(), add.to_owned())),
        (&failing, (ProblemKind::Overloaded, "POST", counter("busy"), none.clone(), add.to_owned())),
        (&failing, (ProblemKind::Unavailable, "POST", counter("gone"), none.clone(), add.to_owned())),
        (&failing, (ProblemKind::OutcomeUnknown, "POST", counter("lost"), key("k"), add.to_owned())),
        (
            &failing,
            (
                ProblemKind::ProjectionBehind,
                "GET",
                "/v1/read-models/values/n".to_owned(),
                vec![("consistency-token", late.clone())],
                String::new(),
            ),
        ),
    ];
    let _ = written;
    let mut reached: BTreeSet<&str> = AROUND.iter().map(|kind| kind.slug()).collect();
    for (url, (kind, method, path, headers, body)) in cases {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request =
            http.request(method, format!("{url}{path}")).body(body).timeout(Duration::from_secs(30));
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status().as_u16(), kind.status().as_u16(), "{kind:?} at {path}");
        assert_eq!(reply.headers()["content-type"], "application/problem+json", "{kind:?}");
        let body: Value = reply.json().await.unwrap();
        assert_eq!(body["type"], format!("/problems/{}", kind.slug()), "{body}");
        assert_eq!((&body["title"], &body["status"]), (&kind.title().into(), &kind.status().as_u16().into()));
        let page = reqwest::get(format!("{url}{}", body["type"].as_str().unwrap())).await.unwrap();
        assert!(page.status().is_success(), "{kind:?} has no page");
        let page = page.text().await.unwrap();
        assert!(page.contains(kind.title()) && page.contains("What to do"), "{page}");
        reached.insert(kind.slug());
    }
    let all: BTreeSet<&str> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
    assert_eq!(reached, all, "a kind is reached by no request");
}

#[tokio::test]
async fn an_unknown_outcome_is_retryable_under_a_key_only() {
    let store = Arc::new(Failing(MemoryStore::new()));
    let runner = Runner::new(store.clone(), Arc::new(MemoryStore::new()), Arc::new(MemoryRows::new()));
    let (router, _runner) = base().aggregate::<Counter>().on_store(store, runner).unwrap();
    let client = crate::client::Client::of(router);
    let path = "/v1/streams/counter/lost/commands/add";
    let blind = client.post(path, r#"{"amount": 1}"#).await;
    blind.is_problem(504, "outcome-unknown").says("read the stream before you send it again");
    assert_eq!((&blind.body["outcome"], &blind.body["retryable"]), (&"unknown".into(), &false.into()));
    let keyed = client.post_with(path, &[("idempotency-key", "k")], r#"{"amount": 1}"#).await;
    keyed.is_problem(504, "outcome-unknown");
    assert_eq!((&keyed.body["outcome"], &keyed.body["retryable"]), (&"unknown".into(), &true.into()));
}
