//! Waiting for a read model, and what is said when it is in vain.

use std::time::Duration;

use futures::future::try_join_all;
use headwater::{StreamName, Version};
use headwater_projections::Waited;
use serde_json::json;

use super::ConsistencyToken;
use crate::{Problem, ProblemKind, Services};

/// Whether an answer is as fresh as was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Freshness {
    /// It is.
    Reached,
    /// It may be older, which the client takes.
    Stale,
}

/// Waits until a read model has applied every version of a token that it reads at all.
pub(super) async fn reach(
    services: &Services,
    projection: &str,
    token: &ConsistencyToken,
    wait: Duration,
) -> Result<(), Problem> {
    let models = &services.read_models;
    let mut wanted = Vec::new();
    for (stream, version) in token.streams() {
        // What it does not read it will never have, and needs not.
        if models.reads(projection, stream.category())? {
            wanted.push((stream, version));
        }
    }
    let paused = services.control.status().paused.contains(projection);
    let generations = models.generations(projection).await?;
    let outdated = generations.version(generations.live) != Some(models.version(projection)?);
    // Waiting for what stands still is in vain.
    let wait = if paused || outdated { Duration::ZERO } else { wait };
    let waits = wanted.iter().map(|(stream, version)| models.wait(projection, stream, *version, wait));
    let outcomes = try_join_all(waits).await?;
    for ((stream, version), outcome) in wanted.into_iter().zip(outcomes) {
        match outcome {
            Waited::Applied => {}
            Waited::Parked { applied, first_failing } => {
                let detail = format!(
                    "read model {projection} cannot apply version {first_failing} of stream {stream}, so it does not \
                     reach version {version}"
                );
                let problem =
                    missing(ProblemKind::StreamParked, detail, projection, stream, version, applied);
                return Err(problem.with("first_failing", first_failing.0));
            }
            Waited::Behind { applied } if paused => {
                let detail =
                    format!("read model {projection} is paused at version {applied} of stream {stream}");
                return Err(missing(
                    ProblemKind::ProjectionPaused,
                    detail,
                    projection,
                    stream,
                    version,
                    applied,
                ));
            }
            Waited::Behind { applied } if outdated => {
                let detail = format!(
                    "the rows of read model {projection} were made by another version of its code and stand at version \
                     {applied} of stream {stream}"
                );
                return Err(missing(
                    ProblemKind::RebuildNeeded,
                    detail,
                    projection,
                    stream,
                    version,
                    applied,
                ));
            }
            Waited::Behind { applied } => {
                let detail = format!(
                    "read model {projection} has applied version {applied} of stream {stream} after {} s, and version \
                     {version} was waited for",
                    wait.as_secs()
                );
                let problem =
                    missing(ProblemKind::ProjectionBehind, detail, projection, stream, version, applied);
                return Err(problem.with("lag_seconds", lag(services)).with("retry_after", 1));
            }
            other => {
                tracing::error!(?other, "a wait ended in a way that this server does not know");
                return Err(Problem::new(ProblemKind::Internal, "the wait ended in an unknown way"));
            }
        }
    }
    Ok(())
}

/// Whether a read model applies a version within a time. A command is done whatever comes of this, so it is no error.
pub(crate) async fn applied(
    services: &Services,
    projection: &str,
    stream: &StreamName,
    version: Version,
    wait: Duration,
) -> bool {
    let token = ConsistencyToken::of(stream.clone(), version);
    reach(services, projection, &token, wait).await.is_ok()
}

fn missing(
    kind: ProblemKind,
    detail: String,
    projection: &str,
    stream: &StreamName,
    version: Version,
    applied: Version,
) -> Problem {
    Problem::new(kind, detail)
        .with("read_model", projection)
        .with("stream", stream.as_str())
        .with("wanted_version", version.0)
        .with("applied_version", applied.0)
}

/// How far the partitions read here are behind, at most; nothing when that is not known.
fn lag(services: &Services) -> serde_json::Value {
    let status = services.control.status();
    let behind = status.partitions.values().filter_map(|partition| partition.behind).max();
    behind.map_or(serde_json::Value::Null, |behind| json!(behind.as_secs_f64()))
}
