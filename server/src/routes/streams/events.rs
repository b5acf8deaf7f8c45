//! `GET /v1/streams/{category}/{id}/events`: a page of a stream, or all of it as it comes.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use headwater::store::{Direction, Read};
use headwater::{RecordedEvent, StreamName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Envelope, follow};
use crate::accept::choose;
use crate::extract::{PathOf, QueryOf};
use crate::openapi::Form;
use crate::{Problem, Services};

/// Events of a page unless the client asks for fewer.
const PAGE_EVENTS: usize = 100;
/// Most events of a page.
const MAX_PAGE_EVENTS: usize = 1_000;
/// A page ends with the event that brings its payloads over this many bytes.
const PAGE_BYTES: usize = 1024 * 1024;

/// What a page may be asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The version of the first event of the page.
    pub(super) from: Option<u64>,
    /// The version of the last event that is wanted.
    pub(super) to: Option<u64>,
    /// Most events of the page: 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
    /// In which order.
    #[serde(default)]
    dir: Dir,
    /// Only events of this type; several are separated by commas.
    r#type: Option<String>,
}

/// The order of a page.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dir {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Backward,
}

/// A page of events.
#[derive(Serialize, JsonSchema)]
pub(super) struct Events {
    /// The stream.
    stream: String,
    /// The events.
    events: Vec<Envelope>,
    /// `from` of the next page, if there may be one; a page may be empty although more follows.
    next: Option<u64>,
}

impl Wanted {
    /// Whether an event of this type is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.r#type.as_ref().is_none_or(|types| types.split(',').any(|wanted| wanted.trim() == name))
    }
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    QueryOf(wanted): QueryOf<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    match choose(&headers, &[Form::Json, Form::Sse, Form::Ndjson])? {
        Form::Json => page(&services, &stream, &wanted).await,
        _ if wanted.dir == Dir::Backward || wanted.to.is_some() || wanted.limit.is_some() => {
            Err(Problem::invalid(
                "events that are still to come have no dir, to or limit: ask for a page as JSON",
            ))
        }
        form => follow::follow(services, stream, wanted, &headers, form),
    }
}

async fn page(services: &Services, stream: &StreamName, wanted: &Wanted) -> Result<Response, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE_EVENTS);
    if !(1..=MAX_PAGE_EVENTS).contains(&limit) {
        return Err(Problem::invalid(format!("limit {limit} is not valid: give 1 to {MAX_PAGE_EVENTS}")));
    }
    let (lowest, highest) = match wanted.dir {
        Dir::Forward => (wanted.from.unwrap_or(1), wanted.to.unwrap_or(u64::MAX)),
        Dir::Backward => (wanted.to.unwrap_or(1), wanted.from.unwrap_or(u64::MAX)),
    };
    let mut read = Read::after(Version(lowest.max(1) - 1)).until(Version(highest)).limit(limit);
    if wanted.dir == Dir::Backward {
        read.direction = Direction::Backward;
    }
    let page = services.executor.store().read(stream, read).await?;
    let inside = |event: &RecordedEvent<'_>| (lowest..=highest).contains(&event.version().0);
    let mut recorded: Vec<RecordedEvent<'_>> = Vec::new();
    for commit in &page.commits {
        match wanted.dir {
            Dir::Backward => recorded.extend(commit.recorded().rev().filter(inside)),
            Dir::Forward => recorded.extend(commit.recorded().filter(inside)),
        }
    }
    let (mut events, mut bytes) = (Vec::new(), 0);
    let mut next = None;
    for (index, event) in recorded.iter().enumerate() {
        if wanted.wants(&event.data.name) {
            bytes += event.data.size_bytes();
            events.push(Envelope::new(*event)?);
        }
        if events.len() == limit || bytes > PAGE_BYTES {
            // What was left out of this page comes next.
            next = recorded.get(index + 1).map(|event| event.version().0);
            if next.is_some() {
                break;
            }
        }
    }
    if next.is_none() && page.more {
        next = recorded.last().and_then(|event| match wanted.dir {
            Dir::Backward => event.version().0.checked_sub(1).filter(|next| *next >= lowest.max(1)),
            Dir::Forward => Some(event.version().0 + 1),
        });
    }
    Ok(axum::Json(Events { stream: stream.to_string(), events, next }).into_response())
}
