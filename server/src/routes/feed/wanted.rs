//! What of the feed is wanted.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use headwater::{Commit, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{page, subscribe};
use crate::accept::choose;
use crate::extract::QueryOf;
use crate::feed::Start;
use crate::headers::single;
use crate::openapi::Form;
use crate::{Problem, Services};

/// The header by which a browser goes on where it was.
pub(in crate::routes) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What of the feed is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only events of these categories, separated by commas.
    category: Option<String>,
    /// Only events of these types, separated by commas.
    r#type: Option<String>,
    /// Where to go on: the cursor of an earlier answer. Without one, from the oldest event the feed has.
    cursor: Option<String>,
    /// Where to begin instead: a time (RFC 3339), or `now`.
    since: Option<String>,
    /// Most events of a page: 1 to 1000. Commits are whole, so it may be more by those of one commit.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) limit: Option<usize>,
}

/// Which events pass.
pub(super) struct Filter {
    categories: Option<Vec<String>>,
    types: Option<Vec<String>>,
}

impl Filter {
    pub(super) fn of_commit(&self, commit: &Commit) -> bool {
        self.categories
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|name| name == commit.stream.category()))
    }

    pub(super) fn of_type(&self, name: &str) -> bool {
        self.types.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == name))
    }
}

impl Wanted {
    fn filter(&self, services: &Services) -> Result<Filter, Problem> {
        let list = |text: &Option<String>| {
            text.as_ref().map(|text| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        };
        let categories = list(&self.category);
        for category in categories.iter().flatten() {
            services.aggregate(category)?;
        }
        Ok(Filter { categories, types: list(&self.r#type) })
    }

    fn start(&self, headers: &HeaderMap) -> Result<Start, Problem> {
        // A client that comes back says where it was; its address still says where it began.
        if let Some(last) = single(headers, &LAST_EVENT_ID)? {
            return Ok(Start::Cursor(last.to_owned()));
        }
        match (&self.cursor, &self.since) {
            (Some(_), Some(_)) => Err(Problem::invalid("give cursor or since, not both")),
            (Some(cursor), None) => Ok(Start::Cursor(cursor.clone())),
            (None, Some(since)) if since == "now" => Ok(Start::Now),
            (None, Some(since)) => since.parse::<Timestamp>().map(Start::Since).map_err(|error| {
                Problem::invalid(format!(
                    "since={since:?} is not now and not a time such as 2026-01-31T12:00:00Z: {error}"
                ))
            }),
            (None, None) => Ok(Start::Oldest),
        }
    }
}

pub(super) async fn get(
    State(services): State<Services>,
    QueryOf(wanted): QueryOf<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = wanted.filter(&services)?;
    let start = wanted.start(&headers)?;
    match choose(&headers, &[Form::Json, Form::Sse, Form::Ndjson])? {
        Form::Json => page::page(&services, &filter, &start, wanted.limit).await,
        _ if wanted.limit.is_some() => {
            Err(Problem::invalid("events that are still to come have no limit: ask for a page as JSON"))
        }
        form => subscribe::subscribe(&services, filter, &start, form).await,
    }
}
