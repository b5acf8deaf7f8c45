//! A client that talks to the routes without a socket.

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

/// The value of each counter.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "values", from(Counter))]
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
    App::new("counters").aggregate::<Counter>().projection::<Values>().projection::<Sum>()
}

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
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(headers["content-type"], "application/problem+json", "{body}");
            for member in ["type", "title", "status", "detail", "retryable"] {
                assert!(body.get(member).is_some(), "{member} is missing in {body}");
            }
        }
        Reply { status, headers, body }
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
