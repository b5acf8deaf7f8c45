//! Sending one command, again when trying again helps.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use bytes::Bytes;

use super::line::Line;
use crate::cli::{Api, segment};
use crate::exit::with_causes;

/// Tries of one command before the import gives up.
const TRIES: u32 = 6;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Most of an answer that is shown, in characters.
const SHOWN: usize = 300;

/// What became of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was carried out now.
    Accepted,
    /// An earlier import had carried it out.
    Repeated,
    /// The server refused it and will refuse it again.
    Refused(String),
}

/// A client of the server.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    api: Api,
}

impl Sender {
    pub(super) fn new(api: &Api) -> Self {
        Self { api: api.clone() }
    }

    /// Sends a command until it is answered for good.
    ///
    /// # Errors
    /// The reason why the server cannot be used.
    pub(super) async fn send(&self, line: &Line) -> Result<Outcome, String> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let failure = match self.once(line).await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            // Without a key a repeat might be carried out twice.
            if tries == TRIES || line.key.is_none() {
                return Err(format!("line {}: {failure}", line.number));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    /// Sends it once; an error is one that may pass.
    async fn once(&self, line: &Line) -> Result<Outcome, String> {
        let (category, id) = (line.stream.category(), segment(line.stream.id()));
        let path = format!("/v1/streams/{category}/{id}/commands/{}", segment(&line.command));
        let key = line.key.as_ref().map(|key| ("idempotency-key", key.as_str()));
        let headers: Vec<(&'static str, &str)> = key.into_iter().collect();
        let body = Bytes::from(line.data.get().to_owned());
        let answer = self.api.send(Method::POST, &path, &headers, body).await;
        let answer = answer.map_err(|error| with_causes(&error))?;
        let status = answer.status;
        if status.is_success() {
            let repeated = answer.headers.contains_key("idempotent-replayed");
            return Ok(if repeated { Outcome::Repeated } else { Outcome::Accepted });
        }
        let body = String::from_utf8_lossy(&answer.body);
        if status.is_server_error() || status == StatusCode::CONFLICT {
            return Err(format!("{status}: {}", said(&body)));
        }
        Ok(Outcome::Refused(said(&body)))
    }
}

/// The detail of a problem, or the beginning of whatever else came.
fn said(body: &str) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let detail =
        problem.as_ref().and_then(|problem| problem.get("detail")).and_then(|detail| detail.as_str());
    detail.unwrap_or(body).chars().take(SHOWN).collect()
}
