//! The keys that tokens are signed with: from a file or an address, remembered, and asked for again when they are old or
//! a token names one that is not there.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use bytes::Bytes;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::exit::with_causes;
use crate::http_client::HttpClient;

/// After this time keys are asked for again, so that one that was withdrawn is not accepted for ever.
const OLD: Duration = Duration::from_secs(600);
/// Between two times of asking, whatever tokens name: they can be made up.
const PAUSE: Duration = Duration::from_secs(30);
/// Longest time that keys are used while asking for them fails.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// The keys, and where they are from.
#[derive(Debug)]
pub(super) struct Jwks {
    location: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Option<(Arc<JwkSet>, Instant)>,
    asked: Option<Instant>,
}

impl Jwks {
    pub(super) fn new(location: &str) -> Self {
        Self { location: location.to_owned(), known: Mutex::default() }
    }

    /// The key of this id; the only one there is when a token names none. An error says why no keys are there at all.
    pub(super) async fn key(&self, id: Option<&str>) -> Result<Option<Jwk>, String> {
        // One caller asks, and the others wait for what comes.
        let mut known = self.known.lock().await;
        let fresh = known.keys.as_ref().filter(|(_, since)| since.elapsed() < OLD);
        if let Some(key) = fresh.and_then(|(keys, _)| find(keys, id)) {
            return Ok(Some(key));
        }
        if known.asked.is_none_or(|asked| asked.elapsed() >= PAUSE) {
            known.asked = Some(Instant::now());
            match self.load().await {
                Ok(keys) => known.keys = Some((Arc::new(keys), Instant::now())),
                Err(reason) => {
                    tracing::warn!(location = self.location, reason, "the keys of tokens cannot be loaded");
                    if known.keys.as_ref().is_none_or(|(_, since)| since.elapsed() >= STALE) {
                        known.keys = None;
                    }
                }
            }
        }
        match &known.keys {
            Some((keys, _)) => Ok(find(keys, id)),
            None => Err(format!("the keys at {} cannot be loaded", self.location)),
        }
    }

    async fn load(&self) -> Result<JwkSet, String> {
        let is_address = self.location.starts_with("http://") || self.location.starts_with("https://");
        let bytes = match is_address {
            false => Bytes::from(tokio::fs::read(&self.location).await.map_err(|error| error.to_string())?),
            true => {
                let client = HttpClient::new().map_err(|error| with_causes(&error))?;
                let answer = client.ask(Method::GET, &self.location, &[], Bytes::new()).await;
                let answer = answer.map_err(|error| with_causes(&error))?;
                if !answer.status.is_success() {
                    return Err(format!("the answer is {}", answer.status));
                }
                answer.body
            }
        };
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }
}

fn find(keys: &JwkSet, id: Option<&str>) -> Option<Jwk> {
    match (id, keys.keys.as_slice()) {
        (Some(id), _) => keys.find(id).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}
