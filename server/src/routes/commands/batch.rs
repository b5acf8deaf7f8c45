//! `POST /v1/commands`: many commands, each on its own.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use headwater::{CommandKey, Expected, Options, StreamName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::{Done, status};
use super::run::{Command, How};
use crate::accept::choose;
use crate::body::{JsonOrLines, parse};
use crate::consistency::ConsistencyToken;
use crate::extract::QueryOf;
use crate::headers::metadata_from;
use crate::openapi::Form;
use crate::{Principal, Problem, ProblemKind, Scope, Services};

/// Most commands of one request.
const MAX_COMMANDS: usize = 100;
/// Streams whose commands are under way at once.
const STREAMS_AT_ONCE: usize = 16;

/// One command.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    /// The stream, as category/id.
    stream: String,
    /// The command.
    command: String,
    /// Its content; may be left out for a command without fields.
    #[serde(default)]
    #[schemars(with = "Value")]
    data: Option<Box<RawValue>>,
    /// The client's name for it: the same key twice is carried out once.
    #[serde(default)]
    key: Option<String>,
    /// The version the stream must have.
    #[serde(default)]
    expected_version: Option<u64>,
    /// Whether the stream must be new.
    #[serde(default)]
    must_be_new: bool,
}

/// What came of the commands, in the order they came.
#[derive(Serialize, JsonSchema)]
pub(super) struct Results {
    results: Vec<Outcome>,
}

/// What came of one command.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Outcome {
    /// It was carried out.
    Done {
        /// 200, or 201 when it made the stream.
        status: u16,
        /// Whether an earlier command under the same key did it.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        replayed: bool,
        /// For queries that must see what it wrote.
        #[serde(skip_serializing_if = "Option::is_none")]
        consistency_token: Option<String>,
        /// What it did.
        #[serde(flatten)]
        done: Done,
    },
    /// It was not; a problem, with its status.
    Problem(Value),
}

pub(super) async fn post(
    State(services): State<Services>,
    QueryOf(how): QueryOf<How>,
    principal: Principal,
    headers: HeaderMap,
    JsonOrLines(body): JsonOrLines,
) -> Result<Response, Problem> {
    let form = choose(&headers, &[Form::Json, Form::Ndjson])?;
    let metadata = metadata_from(&headers)?;
    let items = items(&body)?;
    // Those of one stream stay in order; streams go side by side.
    let mut by_stream: BTreeMap<String, Vec<(usize, Item)>> = BTreeMap::new();
    let count = items.len();
    for (index, item) in items.into_iter().enumerate() {
        by_stream.entry(item.stream.clone()).or_default().push((index, item));
    }
    let (services, metadata, principal) = (&services, &metadata, &principal);
    let groups = by_stream.into_values().map(|group| async move {
        let mut outcomes = Vec::with_capacity(group.len());
        for (index, item) in group {
            let options = Options::new().metadata(metadata.clone());
            let outcome = run(services, principal, &item, options, how.dry_run).await;
            outcomes.push((index, outcome.unwrap_or_else(|problem| Outcome::Problem(problem.body()))));
        }
        outcomes
    });
    let mut outcomes: Vec<_> = stream::iter(groups).buffer_unordered(STREAMS_AT_ONCE).concat().await;
    debug_assert_eq!(outcomes.len(), count);
    outcomes.sort_by_key(|(index, _)| *index);
    let results: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    if form == Form::Json {
        return Ok(axum::Json(Results { results }).into_response());
    }
    let mut lines = String::new();
    for result in &results {
        let line = serde_json::to_string(result);
        lines.push_str(&line.map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))?);
        lines.push('\n');
    }
    let mut response = lines.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Form::Ndjson.media_type()));
    Ok(response)
}

async fn run(
    services: &Services,
    principal: &Principal,
    item: &Item,
    options: Options,
    dry_run: bool,
) -> Result<Outcome, Problem> {
    let stream = StreamName::parse(&item.stream)?;
    // The layer in front sees no single commands.
    principal.must_have(&Scope::Command(Some(stream.category().to_owned())))?;
    let expected = match (item.expected_version, item.must_be_new) {
        (Some(_), true) => {
            return Err(Problem::invalid("give expected_version or must_be_new, not both"));
        }
        (Some(version), false) => Expected::Exact(Version(version)),
        (None, true) => Expected::NoStream,
        (None, false) => Expected::Any,
    };
    let mut options = options.expected(expected);
    if let Some(key) = &item.key {
        options = options.key(CommandKey::new(key.as_str()).map_err(|e| Problem::invalid(e.to_string()))?);
    }
    let data = item.data.as_ref().map_or(&b""[..], |data| data.get().as_bytes());
    let command = Command { stream: &stream, name: &item.command, data, options: &options };
    if dry_run {
        let done = command.preview(services).await?;
        return Ok(Outcome::Done { status: 200, replayed: false, consistency_token: None, done });
    }
    let answer = command.run(services).await?;
    let done = Done::new(&stream, &answer)?;
    let consistency_token = Some(ConsistencyToken::of(stream, answer.version).to_string());
    let status = status(answer.created).as_u16();
    Ok(Outcome::Done { status, replayed: answer.replayed, consistency_token, done })
}

/// The commands of a body: a list, or one a line.
fn items(body: &[u8]) -> Result<Vec<Item>, Problem> {
    let items: Vec<Item> = if body.trim_ascii_start().starts_with(b"[") {
        parse(body, "the body")?
    } else {
        let lines = body.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty()).take(MAX_COMMANDS + 1);
        let read = lines.map(|(index, line)| parse(line, &format!("line {}", index + 1)));
        read.collect::<Result<_, _>>()?
    };
    if (1..=MAX_COMMANDS).contains(&items.len()) {
        return Ok(items);
    }
    let found = if items.is_empty() { "none".to_owned() } else { format!("more than {MAX_COMMANDS}") };
    Err(Problem::invalid(format!(
        "send 1 to {MAX_COMMANDS} commands, as a list or one a line; there are {found}"
    )))
}
