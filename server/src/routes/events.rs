//! `GET /v1/streams/{category}/{id}/events`: a page of a stream.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use headwater::store::{Direction, Read};
use headwater::{Metadata, RecordedEvent, StreamName, Timestamp, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::extract::{PathOf, QueryOf};
use crate::{Problem, ProblemKind, Services};

/// Events of a page unless the client asks for fewer.
const PAGE_EVENTS: usize = 100;
/// Most events of a page.
const MAX_PAGE_EVENTS: usize = 1_000;

/// One event as clients see it. The payload passes as it was stored.
#[derive(Serialize)]
pub(super) struct Envelope {
    id: String,
    version: u64,
    r#type: String,
    schema: u32,
    data: Box<RawValue>,
    recorded_at: Timestamp,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
}

impl Envelope {
    pub(super) fn new(recorded: RecordedEvent<'_>) -> Result<Self, Problem> {
        let data = std::str::from_utf8(&recorded.data.payload)
            .ok()
            .and_then(|text| RawValue::from_string(text.to_owned()).ok())
            .ok_or_else(|| {
                let (stream, version) = (&recorded.commit.stream, recorded.version());
                Problem::new(
                    ProblemKind::Unreadable,
                    format!("event {version} of stream {stream} is not JSON"),
                )
            })?;
        Ok(Self {
            id: recorded.id().to_string(),
            version: recorded.version().0,
            r#type: recorded.data.name.to_string(),
            schema: recorded.data.schema,
            data,
            recorded_at: recorded.commit.recorded_at,
            metadata: recorded.commit.metadata.clone(),
        })
    }
}

/// What a page may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    from: Option<u64>,
    limit: Option<usize>,
    #[serde(default)]
    dir: Dir,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Dir {
    #[default]
    Forward,
    Backward,
}

/// A page of events; `next` is the `from` of the following page.
#[derive(Serialize)]
struct Events {
    stream: String,
    events: Vec<Envelope>,
    next: Option<u64>,
}

pub(super) async fn page(
    State(services): State<Services>,
    PathOf((category, id)): PathOf<(String, String)>,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Response, Problem> {
    services.aggregate(&category)?;
    let stream = StreamName::new(&category, &id)?;
    let limit = wanted.limit.unwrap_or(PAGE_EVENTS);
    if !(1..=MAX_PAGE_EVENTS).contains(&limit) {
        return Err(Problem::invalid(format!("limit {limit} is not valid: give 1 to {MAX_PAGE_EVENTS}")));
    }
    let (read, inside): (Read, Box<dyn Fn(Version) -> bool + Send>) = match wanted.dir {
        Dir::Forward => {
            let from = wanted.from.unwrap_or(1).max(1);
            (Read::after(Version(from - 1)), Box::new(move |version| version.0 >= from))
        }
        Dir::Backward => {
            let from = wanted.from.unwrap_or(u64::MAX);
            (Read::backward().until(Version(from)), Box::new(move |version| version.0 <= from))
        }
    };
    let backward = read.direction == Direction::Backward;
    let page = services.executor.store().read(&stream, read.limit(limit)).await?;
    let mut events: Vec<RecordedEvent<'_>> = Vec::with_capacity(limit);
    for commit in &page.commits {
        let recorded = commit.recorded().filter(|event| inside(event.version()));
        match backward {
            true => events.extend(recorded.rev()),
            false => events.extend(recorded),
        }
    }
    // What was left out of the last commit comes next; else what the store has after this page.
    let next = match events.get(limit) {
        Some(event) => Some(event.version().0),
        None => events.last().filter(|_| page.more).map(|event| match backward {
            true => event.version().0 - 1,
            false => event.version().0 + 1,
        }),
    };
    let events = events.into_iter().take(limit).map(Envelope::new).collect::<Result<_, _>>()?;
    Ok(axum::Json(Events { stream: stream.to_string(), events, next }).into_response())
}
