//! `GET /v1/read-models` and `GET /v1/read-models/{name}/{key}`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_projections::Found;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::extract::PathOf;
use crate::headers::has;
use crate::{Problem, ProblemKind, Services};

/// The read models there are.
pub(super) async fn catalogue(State(services): State<Services>) -> Json<Value> {
    let names = services.read_models.names();
    let models: Vec<_> = names.map(|name| json!({"name": name})).collect();
    Json(json!({ "read_models": models }))
}

/// A row: `version` is that of the stream, or how often a row that many streams feed has changed.
#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    version: u64,
    data: &'a RawValue,
}

pub(super) async fn row(
    State(services): State<Services>,
    PathOf((name, key)): PathOf<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Found { generation, row } = services.read_models.find(&name, &key).await?;
    let Some((row, fields)) = row.as_ref().and_then(|row| Some((row, row.fields.as_ref()?))) else {
        return Err(Problem::not_found(format!("read model {name} has no row {key:?}")));
    };
    let data: &RawValue = serde_json::from_slice(fields).map_err(|error| {
        Problem::new(ProblemKind::Unreadable, format!("row {key:?} of {name} is not JSON: {error}"))
    })?;
    let version = row.revision.0;
    // A bare version would survive a rebuild and let clients keep rows of the generation before.
    let tag =
        HeaderValue::from_str(&format!("\"g{generation}.{version}\"")).expect("digits are a header value");
    let mut response = match has(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(Row { key: &row.key, version, data }).into_response(),
    };
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}
