//! `POST /v1/streams/{category}/{id}/commands/{name}`: one command.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use headwater::StreamName;

use super::answer::{Done, finished};
use super::run::{Command, How, check_wanted, wait};
use crate::body::JsonBytes;
use crate::consistency::Prefer;
use crate::extract::{CommandOptions, PathOf, QueryOf};
use crate::{Problem, Services};

pub(super) async fn post(
    State(services): State<Services>,
    PathOf((category, id, name)): PathOf<(String, String, String)>,
    QueryOf(how): QueryOf<How>,
    headers: HeaderMap,
    CommandOptions(options): CommandOptions,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let prefer = Prefer::from_headers(&headers)?;
    check_wanted(&services, &stream, &prefer)?;
    let command = Command { stream: &stream, name: &name, data: &body, options: &options };
    if how.dry_run {
        return Ok(axum::Json(command.preview(&services).await?).into_response());
    }
    let answer = command.run(&services).await?;
    let mut done = Done::new(&stream, &answer)?;
    wait(&services, &stream, &answer, &prefer, &mut done).await;
    Ok(finished(&stream, &answer, &done))
}
