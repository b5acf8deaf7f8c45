//! One event as clients see it in a stream, and as a CloudEvent in a subscription.

use headwater::{EventData, Metadata, RecordedEvent, StreamName, Timestamp, Version};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Problem, ProblemKind};

/// One event. The payload passes as it was stored.
#[derive(Serialize, JsonSchema)]
pub(super) struct Envelope {
    /// The id of the event; none in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its version in the stream.
    version: u64,
    /// Its type.
    r#type: String,
    /// The version of its payload's schema.
    schema: u32,
    /// Its payload.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// When it was decided, by the clock of who decided it; none in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    recorded_at: Option<Timestamp>,
    /// What is known about its command.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    metadata: Metadata,
}

/// One event as CloudEvents 1.0 have it, in JSON.
#[derive(Serialize, JsonSchema)]
pub(super) struct CloudEvent {
    /// The version of CloudEvents.
    specversion: &'static str,
    /// The id of the event: the same event twice has the same.
    id: String,
    /// The address of its stream.
    source: String,
    /// Its type.
    r#type: String,
    /// The id of its stream.
    subject: String,
    /// When it was decided, by the clock of who decided it.
    #[schemars(with = "String", extend("format" = "date-time"))]
    time: Timestamp,
    /// The type of its payload.
    datacontenttype: &'static str,
    /// Its version in the stream, in digits.
    sequence: String,
    /// The category of its stream.
    category: String,
    /// The version of its payload's schema.
    schemaversion: u32,
    /// Its payload.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// The conversation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<String>,
    /// What caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<String>,
    /// W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

impl Envelope {
    pub(super) fn new(recorded: RecordedEvent<'_>) -> Result<Self, Problem> {
        let commit = recorded.commit;
        Ok(Self {
            id: Some(recorded.id().to_string()),
            version: recorded.version().0,
            r#type: recorded.data.name.to_string(),
            schema: recorded.data.schema,
            data: payload(recorded.data, &commit.stream, recorded.version())?,
            recorded_at: Some(commit.recorded_at),
            metadata: commit.metadata.clone(),
        })
    }

    /// An event that was not appended.
    pub(super) fn of_preview(
        stream: &StreamName,
        version: Version,
        event: &EventData,
    ) -> Result<Self, Problem> {
        Ok(Self {
            id: None,
            version: version.0,
            r#type: event.name.to_string(),
            schema: event.schema,
            data: payload(event, stream, version)?,
            recorded_at: None,
            metadata: Metadata::default(),
        })
    }
}

impl CloudEvent {
    pub(super) fn new(recorded: RecordedEvent<'_>) -> Result<Self, Problem> {
        let (commit, data) = (recorded.commit, recorded.data);
        let (stream, metadata) = (&commit.stream, &commit.metadata);
        let id = percent_encoding::utf8_percent_encode(stream.id(), percent_encoding::NON_ALPHANUMERIC);
        Ok(Self {
            specversion: "1.0",
            id: recorded.id().to_string(),
            source: format!("/v1/streams/{}/{id}", stream.category()),
            r#type: data.name.to_string(),
            subject: stream.id().to_owned(),
            time: commit.recorded_at,
            datacontenttype: "application/json",
            sequence: recorded.version().to_string(),
            category: stream.category().to_owned(),
            schemaversion: data.schema,
            data: payload(data, stream, recorded.version())?,
            correlationid: metadata.correlation.clone(),
            causationid: metadata.causation.clone(),
            traceparent: metadata.traceparent.clone(),
        })
    }
}

fn payload(data: &EventData, stream: &StreamName, version: Version) -> Result<Box<RawValue>, Problem> {
    let text = std::str::from_utf8(&data.payload).ok();
    text.and_then(|text| RawValue::from_string(text.to_owned()).ok()).ok_or_else(|| {
        Problem::new(ProblemKind::Unreadable, format!("event {version} of stream {stream} is not JSON"))
    })
}
