//! `POST /v1/admin/parked/retry` and `…/discard`: orders about parked streams, counted before they are carried out.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use headwater::{StreamName, Version};
use headwater_projections::rows::MAX_PAGE_ROWS;
use headwater_projections::{CauseFingerprint, Mended, OrderError, Parked};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::projections::check_reason;
use crate::body::JsonBody;
use crate::{Principal, Problem, ProblemKind, Services};

/// Most streams of one order.
const MAX_STREAMS: usize = 10_000;

/// What is to be done about parked streams, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// The projection.
    projection: String,
    /// Only this stream.
    #[serde(default)]
    stream: Option<String>,
    /// Only streams with this error.
    #[serde(default)]
    fingerprint: Option<String>,
    /// For `discard` of one stream: the last version that is passed over, if not only the one that fails.
    #[serde(default)]
    until: Option<u64>,
    /// Why.
    #[schemars(length(min = 1, max = 1024))]
    reason: String,
    /// How many streams it is about. Without it they are only counted.
    #[serde(default)]
    confirm_count: Option<u64>,
}

/// What was counted, or done.
#[derive(Serialize, JsonSchema)]
pub(super) struct Done {
    /// The projection.
    projection: String,
    /// How many streams it is about.
    count: u64,
    /// Whether anything was done.
    confirmed: bool,
    /// How many streams ended in which way.
    outcomes: BTreeMap<String, u64>,
}

/// What is done about a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Retry,
    Discard,
}

pub(super) async fn retry(
    State(services): State<Services>,
    principal: Principal,
    JsonBody(order): JsonBody<Order>,
) -> Result<Json<Done>, Problem> {
    if order.until.is_some() {
        return Err(Problem::invalid("until is for discard: a retry applies everything that waits"));
    }
    carry_out(&services, &principal, &order, Action::Retry).await
}

pub(super) async fn discard(
    State(services): State<Services>,
    principal: Principal,
    JsonBody(order): JsonBody<Order>,
) -> Result<Json<Done>, Problem> {
    if order.until.is_some() && order.stream.is_none() {
        return Err(Problem::invalid("until is for one stream: versions of others are not the same events"));
    }
    carry_out(&services, &principal, &order, Action::Discard).await
}

async fn carry_out(
    services: &Services,
    principal: &Principal,
    order: &Order,
    action: Action,
) -> Result<Json<Done>, Problem> {
    check_reason(&order.reason)?;
    let streams = matching(services, order).await?;
    let count = streams.len() as u64;
    let projection = order.projection.clone();
    let mut outcomes = BTreeMap::new();
    match order.confirm_count {
        None => return Ok(Json(Done { projection, count, confirmed: false, outcomes })),
        Some(confirmed) if confirmed != count => {
            let detail = format!("{count} parked streams match, and {confirmed} were confirmed");
            return Err(Problem::new(ProblemKind::CountChanged, detail).with("count", count));
        }
        Some(_) => {}
    }
    let who = headwater_projections::Order { who: principal.name().to_owned(), reason: order.reason.clone() };
    for parked in &streams {
        let control = &services.control;
        let mended = match action {
            Action::Retry => control.retry(&projection, &parked.stream, &who).await?,
            Action::Discard => {
                let until = order.until.map_or(parked.first_failing, Version);
                control.discard(&projection, &parked.stream, until, &who).await?
            }
        };
        *outcomes.entry(name(&mended).to_owned()).or_default() += 1;
    }
    Ok(Json(Done { projection, count, confirmed: true, outcomes }))
}

/// The parked streams that an order is about.
async fn matching(services: &Services, order: &Order) -> Result<Vec<Parked>, Problem> {
    let fingerprint = order.fingerprint.as_ref().map(|text| {
        text.parse::<CauseFingerprint>().map_err(|error| {
            Problem::invalid(format!("fingerprint {text:?}: {error}")).with("field", "fingerprint")
        })
    });
    let fingerprint = fingerprint.transpose()?;
    let stream = order.stream.as_deref().map(StreamName::parse).transpose()?;
    let mut found = Vec::new();
    let mut after: Option<StreamName> = None;
    loop {
        let page = services.control.parked(&order.projection, after.as_ref(), MAX_PAGE_ROWS).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.stream.clone());
        found.extend(page.into_iter().filter(|parked| {
            stream.as_ref().is_none_or(|stream| *stream == parked.stream)
                && fingerprint.is_none_or(|fingerprint| fingerprint == parked.fingerprint(&order.projection))
        }));
        if found.len() > MAX_STREAMS {
            let detail =
                format!("more than {MAX_STREAMS} parked streams match: narrow it down by fingerprint");
            return Err(Problem::new(ProblemKind::TooLarge, detail));
        }
    }
}

fn name(mended: &Mended) -> &'static str {
    match mended {
        Mended::Applied => "applied",
        Mended::Parked => "parked",
        Mended::NotParked => "not-parked",
        _ => "other",
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Read(error) => error.into(),
            other => {
                tracing::error!(error = ?other, "an order about a parked stream failed");
                Self::new(ProblemKind::Unavailable, other.to_string())
            }
        }
    }
}
