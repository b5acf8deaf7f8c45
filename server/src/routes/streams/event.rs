//! `GET /v1/streams/{category}/{id}/events/{version}`: one event, which never changes.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater::store::Read;
use headwater::{StreamName, Version};

use super::Envelope;
use crate::extract::PathOf;
use crate::headers::has;
use crate::{Problem, Services};

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id, version)): PathOf<(String, String, u64)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let Some(before) = version.checked_sub(1) else {
        return Err(Problem::invalid("there is no event 0: versions start at 1"));
    };
    let read = Read::after(Version(before)).until(Version(version)).limit(1);
    let page = services.executor.store().read(&stream, read).await?;
    let mut events = page.commits.iter().flat_map(|commit| commit.recorded());
    let Some(event) = events.find(|event| event.version().0 == version) else {
        return Err(Problem::not_found(format!("stream {stream} has no event {version}")));
    };
    let tag = HeaderValue::from_str(&format!("\"{}\"", event.id())).expect("an id is a header value");
    let mut response = match has(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => axum::Json(Envelope::new(event)?).into_response(),
    };
    let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, forever);
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}
