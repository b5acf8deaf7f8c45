//! An operation: one rebuild as everybody sees it, from the moment it is asked for until some time after its end.

use std::sync::Arc;

use headwater::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Budget, Options, Phase, Snapshot, Verify};
use crate::group::{Document, WorkerId};

/// One rebuild of a projection. It is kept as JSON, and shown as that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Operation {
    /// The projection and a number that no other operation of it has.
    #[schemars(with = "String")]
    pub id: Arc<str>,
    /// The projection.
    #[schemars(with = "String")]
    pub projection: Arc<str>,
    /// The number.
    pub number: u64,
    /// The version of the projection's code that builds it.
    pub version: u32,
    /// What becomes of it.
    pub state: OperationState,
    /// How it is to be done, who wants it, and why.
    #[serde(flatten)]
    pub wish: Wish,
    /// When it was asked for, by the clock of who was asked. Of those that wait, the one with the earliest is taken first;
    /// nothing else depends on it.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub asked_at: Timestamp,
    /// The process that does it, or did.
    #[schemars(with = "Option<String>")]
    pub worker: Option<Arc<str>>,
    /// Who wants it to stop.
    #[schemars(with = "Option<String>")]
    pub cancelled_by: Option<Arc<str>>,
    /// How far it is.
    #[serde(flatten)]
    pub report: Report,
    /// One more with every write.
    #[serde(skip)]
    pub(super) counter: u64,
    /// Whether it is written down as under way, and shown as interrupted because its process shows no life.
    #[serde(skip)]
    pub(super) silent: bool,
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OperationState {
    /// It waits for a process that does such work.
    Queued,
    /// The new generation is being built.
    Running,
    /// The new generation is built, and follows the feed until it is level with the live one.
    WaitingForSwitch,
    /// It is done.
    Done,
    /// It could not be done. Nothing was switched.
    Failed,
    /// It was stopped by order. What was done stays done.
    Cancelled,
    /// Its process ended, or shows no life. What was done stays done.
    Interrupted,
}

/// How a rebuild is to be done, who wants it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wish {
    /// Who wants it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Where the events are read; the archive if it has files and nothing is said, else the ledger.
    pub source: Option<EventSource>,
    /// Bytes that rows and streams may take in memory.
    pub memory_bytes: usize,
    /// What it may take: `unlimited`, a part of the time such as `50%`, or write units a second such as `200`.
    pub budget: Budget,
    /// Which rows are compared.
    pub verify: Verify,
    /// Whether it becomes live by itself.
    pub promote: Promotion,
}

/// Where the events of a rebuild are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventSource {
    /// The files of the archive.
    Archive,
    /// The ledger.
    Ledger,
}

/// Whether a new generation becomes live by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promotion {
    /// Once it is level with the live one.
    #[default]
    Auto,
    /// It does not: somebody promotes it.
    Manual,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Report {
    /// What it is doing, or was when it ended.
    pub phase: Phase,
    /// How much it has done.
    pub progress: Snapshot,
    /// How long it has been at work, in seconds.
    pub seconds: f64,
    /// Events read a second.
    pub events_per_second: f64,
    /// How long the reading under way may still take, in seconds.
    pub seconds_left: Option<f64>,
    /// Whether the new generation is live.
    pub live: bool,
    /// Rows that were compared.
    pub compared: u64,
    /// Streams that are parked in the new generation.
    pub parked: u64,
    /// What was noted last: damage, refusals, streams that were parked.
    pub notes: Vec<String>,
    /// Why it failed, or was interrupted.
    pub problem: Option<String>,
}

impl OperationState {
    /// Whether nothing more becomes of it.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::WaitingForSwitch => false,
            Self::Done | Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }
}

impl Wish {
    /// What the wish is of how it is done.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            memory_bytes: self.memory_bytes,
            budget: self.budget,
            verify: self.verify,
            promote: self.promote == Promotion::Auto,
            ..Options::default()
        }
    }
}

impl Operation {
    /// One that is new.
    pub(super) fn new(target: (&str, u32), number: u64, wish: Wish) -> Self {
        let (projection, version) = target;
        Self {
            id: format!("{projection}-{number}").into(),
            projection: projection.into(),
            number,
            version,
            state: OperationState::Queued,
            wish,
            asked_at: Timestamp::now(),
            worker: None,
            cancelled_by: None,
            report: Report::default(),
            counter: 1,
            silent: false,
        }
    }

    /// The same, written once more.
    pub(super) fn next(&self) -> Self {
        Self { counter: self.counter + 1, silent: false, ..self.clone() }
    }

    /// The same, done by a process.
    pub(super) fn taken_by(&self, worker: &WorkerId) -> Self {
        Self { state: OperationState::Running, worker: Some(Arc::clone(&worker.0)), ..self.next() }
    }

    /// The same after its end.
    pub(super) fn ended(&self, state: OperationState, problem: Option<String>) -> Self {
        let mut ended = self.next();
        (ended.state, ended.report.problem) = (state, problem);
        ended
    }

    /// The same, given up because its process is gone.
    pub(super) fn given_up(&self) -> Self {
        self.ended(OperationState::Interrupted, Some("its process was gone".to_owned()))
    }

    /// The same, which waited for code that is not asked for any more.
    pub(super) fn superseded(&self, version: u32, by: &str) -> Self {
        let mut ended = self.ended(OperationState::Cancelled, None);
        ended.cancelled_by = Some(by.into());
        ended.report.notes.push(format!("superseded by version {version}"));
        ended
    }

    /// Its process shows no life: it is shown as interrupted, whatever is written down.
    pub(super) fn silence(&mut self) {
        (self.state, self.silent) = (OperationState::Interrupted, true);
        self.report.problem = Some("its process shows no life".to_owned());
    }

    /// Whether a process carries it out, for all that is known.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.state, OperationState::Running | OperationState::WaitingForSwitch)
    }

    /// As it is kept.
    pub(super) fn document(&self) -> Document {
        let json = serde_json::to_string(self).expect("numbers and texts are JSON");
        Document { name: Arc::clone(&self.id), counter: self.counter, json: json.into() }
    }

    /// As it was kept; nothing when a newer program wrote it in another form.
    pub(super) fn of(document: &Document) -> Option<Self> {
        let read: Result<Self, _> = serde_json::from_str(&document.json);
        match read {
            Ok(operation) => Some(Self { counter: document.counter, ..operation }),
            Err(error) => {
                tracing::warn!(operation = %document.name, error = %error, "an operation cannot be read");
                None
            }
        }
    }
}
