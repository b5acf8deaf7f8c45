//! `GET /v1/read-models/{name}/{key}`: one row.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_projections::Found;
use headwater_projections::rows::StoredRow;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::consistency::Consistency;
use crate::extract::PathOf;
use crate::headers::has;
use crate::{Problem, ProblemKind, Services};

/// A row.
#[derive(Serialize, JsonSchema)]
pub(super) struct Row {
    /// Its key.
    key: String,
    /// The version of its stream, or how often a row that many streams feed has changed.
    version: u64,
    /// Its fields.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    data: Box<RawValue>,
}

impl Row {
    /// A row as it is stored; nothing when it has no data.
    pub(super) fn new(projection: &str, row: &StoredRow) -> Result<Option<Self>, Problem> {
        let Some(fields) = &row.fields else { return Ok(None) };
        let data = serde_json::from_slice(fields).map_err(|error| {
            let detail = format!("row {:?} of {projection} is not JSON: {error}", row.key);
            Problem::new(ProblemKind::Unreadable, detail)
        })?;
        Ok(Some(Self { key: row.key.clone(), version: row.revision.0, data }))
    }
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((name, key)): PathOf<(String, String)>,
    consistency: Consistency,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let freshness = consistency.reached(&services, &name).await?;
    let Found { generation, row } = services.read_models.find(&name, &key).await?;
    let row = row.as_ref().map(|row| Row::new(&name, row)).transpose()?.flatten();
    let Some(row) = row else {
        return Err(Problem::not_found(format!("read model {name} has no row {key:?}")));
    };
    // A bare version would survive a rebuild and let clients keep rows of the generation before.
    let tag = format!("\"g{generation}.{}\"", row.version);
    let tag = HeaderValue::from_str(&tag).expect("digits are a header value");
    let mut response = match has(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(row).into_response(),
    };
    response.headers_mut().insert(header::ETAG, tag);
    freshness.mark(&mut response);
    Ok(response)
}
