//! A page of the feed.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::CloudEvent;
use super::wanted::Filter;
use crate::feed::{Next, Start, limits};
use crate::{Problem, Services};

/// Events of a page unless the client asks for fewer.
const PAGE_EVENTS: usize = 100;
/// Most events of a page.
const MAX_PAGE_EVENTS: usize = 1_000;
/// A page ends with the commit that brings its payloads over this many bytes.
const PAGE_BYTES: usize = 1024 * 1024;
/// A page ends when it has looked at this many commits, whatever the filter let pass.
const PAGE_COMMITS: usize = 5_000;

/// A page of the feed.
#[derive(Serialize, JsonSchema)]
pub(super) struct Page {
    /// The events, in order for each stream.
    events: Vec<CloudEvent>,
    /// Where the next page begins; also when there is nothing more yet.
    cursor: String,
    /// Whether there was nothing more behind this page.
    caught_up: bool,
}

pub(super) async fn page(
    services: &Services,
    filter: &Filter,
    start: &Start,
    limit: Option<usize>,
) -> Result<Response, Problem> {
    let limit = limit.unwrap_or(PAGE_EVENTS);
    if !(1..=MAX_PAGE_EVENTS).contains(&limit) {
        return Err(Problem::invalid(format!("limit {limit} is not valid: give 1 to {MAX_PAGE_EVENTS}")));
    }
    let mut follower = services.hub.reader(start).await?;
    let (mut events, mut bytes, mut commits) = (Vec::new(), 0, 0);
    let mut caught_up = false;
    while events.len() < limit && bytes < PAGE_BYTES && commits < PAGE_COMMITS {
        let records = (limit - events.len()).min(limits::BATCH);
        match follower.next(records, Duration::ZERO).await? {
            Next::Records(_, records) => {
                commits += records.len();
                let wanted = records.iter().filter(|record| filter.of_commit(&record.commit));
                for event in wanted.flat_map(|record| record.commit.recorded()) {
                    if filter.of_type(&event.data.name) {
                        bytes += event.data.size_bytes();
                        events.push(CloudEvent::new(event)?);
                    }
                }
            }
            Next::CaughtUp => {
                caught_up = true;
                break;
            }
            // Whoever does not stay neither falls behind nor waits.
            Next::Lagged | Next::Idle => break,
        }
    }
    Ok(axum::Json(Page { events, cursor: follower.cursor(), caught_up }).into_response())
}
