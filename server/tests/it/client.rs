//! A client that talks to the routes without a socket.

use crate::note::{Note, Sore, prepare};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use headwater::testing::counter::{Counter, CounterEvent};
use headwater::{Projection, Recorded};
use headwater_projections::{Keys, Project};
use headwater_server::App;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;

/// How long a test waits for what must come.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The value of each counter.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "values", from(Counter), index(value))]
pub(crate) struct Values {
    value: u64,
}

impl Project<Counter> for Values {
    fn apply(&mut self, event: &Recorded<'_, CounterEvent>) {
        match event.event {
            CounterEvent::Added { amount } => self.value += amount,
            CounterEvent::Subtracted { amount } => self.value -= amount,
        }
    }
}

/// The sum of all counters.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "sum", from(Counter), shared)]
pub(crate) struct Sum {
    added: u64,
}

impl Project<Counter> for Sum {
    fn keys(_: &Recorded<'_, CounterEvent>) -> Keys {
        Keys::one("all")
    }
    fn apply(&mut self, event: &Recorded<'_, CounterEvent>) {
        if let CounterEvent::Added { amount } = event.event {
            self.added += amount;
        }
    }
}

pub(crate) fn app() -> App {
    base()
        .aggregate::<Counter>()
        .aggregate_with::<Note, _, _>(prepare)
        .projection::<Sum>()
        .projection::<Sore>()
}

/// A service with one read model.
pub(crate) fn base() -> App {
    App::new("counters").projection::<Values>()
}

/// A trace as W3C Trace Context has it.
pub(crate) const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The routes, and a runner that lives as long as the test.
pub(crate) struct Client {
    router: Router,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new() -> Self {
        let (router, runner) = app().in_memory().unwrap();
        tokio::spawn(runner.run(std::future::pending::<()>()));
        Self { router }
    }

    /// A client of other routes.
    pub(crate) fn of(router: Router) -> Self {
        Self { router }
    }

    /// Opens an answer without an end.
    pub(crate) async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Open {
        let request =
            headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers().clone();
        Open { headers, body: response.into_body(), text: String::new() }
    }

    /// Status and text of an answer of any kind.
    pub(crate) async fn status(&self, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// An answer that is not JSON.
    pub(crate) async fn raw(&self, path: &str) -> (u16, HeaderMap, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a body and reads the answer, a document a line.
    pub(crate) async fn open_post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<Value> {
        let request =
            headers.iter().fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        std::str::from_utf8(&bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Adds to a counter.
    pub(crate) async fn add(&self, id: &str, amount: u64) -> Reply {
        let reply = self
            .post(&format!("/v1/streams/counter/{id}/commands/add"), &format!("{{\"amount\":{amount}}}"))
            .await;
        assert!(reply.status.is_success(), "{}", reply.body);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body).await
    }

    pub(crate) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send("POST", path, headers, body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(path), |request, (name, value)| {
                request.header(*name, *value)
            })
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        if (status.is_client_error() || status.is_server_error()) && method != "HEAD" {
            assert_eq!(headers["content-type"], "application/problem+json", "{body}");
            for member in ["type", "title", "status", "detail", "retryable"] {
                assert!(body.get(member).is_some(), "{member} is missing in {body}");
            }
        }
        Reply { status, headers, body }
    }
}

/// An answer without an end.
pub(crate) struct Open {
    pub(crate) headers: HeaderMap,
    body: Body,
    text: String,
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Open {
    /// The next piece that ends with `end`; nothing when the answer is over.
    async fn piece(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return Some(std::mem::replace(&mut self.text, rest));
            }
            let frame =
                tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("nothing comes any more");
            let bytes = frame?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next server-sent event; nothing when the answer is over. Heartbeats are passed over.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            let piece = self.piece("\n\n").await?;
            let mut message = Message { id: String::new(), event: "message".to_owned(), data: Value::Null };
            for line in piece.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => message.id = id.to_owned(),
                    Some(("event", event)) => message.event = event.to_owned(),
                    Some(("data", data)) => message.data = serde_json::from_str(data).unwrap(),
                    _ => assert!(line.is_empty() || line.starts_with(':'), "{line:?} is no field"),
                }
            }
            if message.data != Value::Null {
                return Some(message);
            }
        }
    }

    /// Messages up to and with a control event of this name.
    pub(crate) async fn until(&mut self, event: &str) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.message().await {
            let last = message.event == event;
            messages.push(message);
            if last {
                return messages;
            }
        }
        panic!("it ended without {event}: {messages:?}");
    }

    /// The next document of a line.
    pub(crate) async fn line(&mut self) -> Option<Value> {
        Some(serde_json::from_str(&self.piece("\n").await?).unwrap())
    }
}

impl Reply {
    /// Checks status and problem type.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, slug: &str) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.body["type"], format!("/problems/{slug}"), "{}", self.body);
        self
    }

    /// Checks that the detail has a text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let detail = self.body["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{detail:?} does not contain {text:?}");
        self
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
