//! Sending one command, again when trying again helps.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, StatusCode, Url, header};

use super::line::Line;
use crate::exit::with_causes;

/// Tries of one command before the import gives up.
const TRIES: u32 = 6;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(30);
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
    client: Client,
    base: Url,
}

impl Sender {
    pub(super) fn new(server: &str) -> Result<Self, String> {
        let base: Url = server.parse().map_err(|error| format!("{server:?} is not an address: {error}"))?;
        if base.scheme() != "http" {
            return Err(format!("{server:?} is not an http:// address"));
        }
        let client = Client::builder().timeout(REQUEST).build().map_err(|error| error.to_string())?;
        Ok(Self { client, base })
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
        let id = utf8_percent_encode(line.stream.id(), NON_ALPHANUMERIC);
        let command = utf8_percent_encode(&line.command, NON_ALPHANUMERIC);
        let path = format!("v1/streams/{}/{id}/commands/{command}", line.stream.category());
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let request = self.client.post(url).header(header::CONTENT_TYPE, "application/json");
        let request = match &line.key {
            Some(key) => request.header("idempotency-key", key.as_str()),
            None => request,
        };
        let response =
            request.body(line.data.get().to_owned()).send().await.map_err(|error| with_causes(&error))?;
        let status = response.status();
        if status.is_success() {
            let repeated = response.headers().contains_key("idempotent-replayed");
            return Ok(if repeated { Outcome::Repeated } else { Outcome::Accepted });
        }
        let body = response.text().await.map_err(|error| with_causes(&error))?;
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
