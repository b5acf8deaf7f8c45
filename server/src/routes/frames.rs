//! How events and what is said about them are written into an answer without an end: as server-sent events, or a
//! document a line.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde_json::{Value, json};

use super::envelope::CloudEvent;
use crate::openapi::Form;
use crate::{Problem, ProblemKind};

/// The longest silence of an answer without an end.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a client is told how far it is when nothing passes its filter.
pub(super) const CHECKPOINT: Duration = Duration::from_secs(5);

/// What is said about events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// How far it is, although nothing passed the filter.
    Checkpoint,
    /// There was nothing more.
    CaughtUp,
    /// The client was too slow; it goes on from its last id.
    Lagged,
    /// The server ends; the client goes on elsewhere from its last id.
    Bye,
    /// Something is wrong; the answer ends.
    Problem,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::CaughtUp => "caught-up",
            Self::Lagged => "lagged",
            Self::Bye => "bye",
            Self::Problem => "problem",
        }
    }
}

/// Writes frames of one form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames {
    form: Form,
}

impl Frames {
    pub(super) fn new(form: Form) -> Self {
        Self { form }
    }

    /// An event, and the id from which to go on behind it.
    pub(super) fn event(self, id: &str, event: &CloudEvent) -> Result<String, Problem> {
        let unreadable = |error: serde_json::Error| Problem::new(ProblemKind::Unreadable, error.to_string());
        let json = serde_json::to_string(event).map_err(unreadable)?;
        if self.form == Form::Sse {
            return Ok(format!("id: {id}\ndata: {}\n\n", one_line(&json)));
        }
        // An attribute of its own, as CloudEvents allow.
        let rest = json.strip_prefix('{').unwrap_or(&json);
        Ok(format!("{{\"cursor\":\"{id}\",{}\n", one_line(rest)))
    }

    /// Something about events, and the id from which to go on.
    pub(super) fn control(self, control: Control, id: &str, data: &Value) -> String {
        let name = control.name();
        match self.form {
            Form::Sse if id.is_empty() => format!("event: {name}\ndata: {data}\n\n"),
            Form::Sse => format!("id: {id}\nevent: {name}\ndata: {data}\n\n"),
            _ => format!("{}\n", json!({"control": name, "cursor": id, "data": data})),
        }
    }

    /// A sign of life.
    pub(super) fn heartbeat(self) -> String {
        match self.form {
            Form::Sse => ":\n\n".to_owned(),
            _ => "{\"control\":\"heartbeat\"}\n".to_owned(),
        }
    }

    /// The answer: `step` gives the next piece, or nothing when it is over.
    pub(super) fn answer<S, F, N>(self, state: S, step: N) -> Response
    where
        S: Send + 'static,
        N: FnMut(S) -> F + Send + 'static,
        F: Future<Output = Option<(String, S)>> + Send + 'static,
    {
        let mut response = Body::from_stream(pieces(state, step)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.form.media_type()));
        // Whoever gathers pieces to compress them would hold events back.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
        let buffering = HeaderName::from_static("x-accel-buffering");
        headers.insert(buffering, HeaderValue::from_static("no"));
        response
    }
}

fn pieces<S, F, N>(state: S, mut step: N) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>>
where
    N: FnMut(S) -> F,
    F: Future<Output = Option<(String, S)>>,
{
    stream::unfold(state, move |state| {
        let piece = step(state);
        async move { piece.await.map(|(text, state)| (Ok(Bytes::from(text)), state)) }
    })
}

/// A payload is stored as it came and may span lines, which neither form allows. Between the tokens of JSON a line end is
/// white space, and inside a text there is none.
fn one_line(json: &str) -> String {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ") } else { json.to_owned() }
}
