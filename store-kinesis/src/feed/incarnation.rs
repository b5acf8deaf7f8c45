//! Which stream there is. A stream that was deleted and made anew has the same name and other records.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::StreamDescriptionSummary;
use headwater::store::StoreError;
use headwater_aws::failure;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A stream by its name, and what it was when it was last looked at.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) client: Client,
    pub(super) name: String,
    seen: Mutex<Option<Incarnation>>,
}

/// One life of a stream.
#[derive(Debug, Clone)]
pub(super) struct Incarnation {
    /// When it was made, in milliseconds since 1970.
    pub(super) created: i64,
    /// Its name in AWS's own form.
    pub(super) arn: String,
    asked: Instant,
}

impl Stream {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self { client, name, seen: Mutex::new(None) }
    }

    /// As messages name it.
    pub(super) fn resource(&self) -> String {
        format!("stream {}", self.name)
    }

    /// What the stream is, as it was at most so long before this call. Calls at the same time share a request: AWS
    /// allows 20 of them a second for a whole account.
    pub(super) async fn incarnation(&self, age: Duration) -> Result<Incarnation, StoreError> {
        let called = Instant::now();
        let mut seen = self.seen.lock().await;
        if let Some(incarnation) = seen.as_ref().filter(|seen| seen.asked + age >= called) {
            return Ok(incarnation.clone());
        }
        // What an error leaves open is asked again.
        *seen = None;
        let asked = Instant::now();
        let request = self.client.describe_stream_summary().stream_name(&self.name);
        let answer = request
            .send()
            .await
            .map_err(|error| failure(error, format!("look at stream {}", self.name), &self.resource()))?;
        let incarnation = answer.stream_description_summary.as_ref().and_then(|stream| read(stream, asked));
        let incarnation =
            incarnation.ok_or_else(|| self.unusable("Kinesis does not say when it was made"))?;
        Ok(seen.insert(incarnation).clone())
    }

    /// An error that is not Kinesis's own.
    pub(super) fn unusable(&self, reason: &str) -> StoreError {
        let attempted = format!("read stream {}", self.name);
        StoreError::Unavailable { attempted, source: reason.into() }
    }
}

fn read(stream: &StreamDescriptionSummary, asked: Instant) -> Option<Incarnation> {
    let created = stream.stream_creation_timestamp().to_millis().ok()?;
    Some(Incarnation { created, arn: stream.stream_arn().to_owned(), asked })
}
