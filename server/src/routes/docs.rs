//! `GET /openapi.json`, and `GET /docs`: a page to read it and to try it, served from this binary alone.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::openapi::{Form, Operation};
use crate::{Problem, ProblemKind, Services, problem};

/// Nothing of the page may come from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The files of the page: name, type, content.
const FILES: [(&str, &str, &str); 3] = [
    ("", "text/html; charset=utf-8", include_str!("docs_page/page.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("docs_page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("docs_page/page.js")),
];

/// The document, as far as a type can say it.
#[derive(Serialize, JsonSchema)]
struct OpenApi(serde_json::Map<String, Value>);

/// A page.
#[derive(JsonSchema)]
struct Page;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/openapi.json", document)
            .named("openapi", "This description")
            .answer::<OpenApi>(200, "The description, as OpenAPI 3.1"),
        Operation::get("/docs", page)
            .named("docs", "A page to read this description and to try it")
            .formed::<Page>(200, "The page", Form::Html)
            .empty(303, "Where the page is"),
        Operation::get("/problems", problem::list)
            .named("problems", "Every kind of problem, with cause and fix")
            .answer::<serde_json::Map<String, Value>>(200, "The catalogue"),
        Operation::get("/problems/{slug}", problem::page)
            .named("problem", "A page about a kind of problem")
            .formed::<Page>(200, "The page", Form::Html)
            .problems(&[ProblemKind::NotFound]),
    ]
}

async fn document(State(services): State<Services>) -> Response {
    let mut response = services.openapi.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn page() -> Redirect {
    Redirect::to("/docs/")
}

/// A file of the page.
pub(super) async fn file(path: Option<Path<String>>) -> Result<Response, Problem> {
    let path = path.map(|Path(path)| path).unwrap_or_default();
    let found = FILES.iter().find(|(name, ..)| *name == path);
    let (_, kind, content) =
        found.ok_or_else(|| Problem::not_found(format!("the page has no file {path:?}")))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    Ok((headers, *content).into_response())
}
