//! What the schema lock found: which event, which field, what changed, and what to do about it.

use std::fmt;

use super::compare::{Gap, GapKind};

/// One difference between a locked schema and today's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field, as a path (`address.lines[]`); empty for the payload itself.
    pub path: String,
    /// What changed.
    pub what: String,
    /// What to do, if keeping the version is possible; otherwise it must be raised.
    pub fix: Option<&'static str>,
}

const DEFAULT: &str = "add `#[serde(default)]` or make it an `Option`";
const KEEP: &str = "keep it as it was";

impl Change {
    /// The new program cannot read what the old one wrote.
    pub(super) fn backward(gap: Gap) -> Self {
        let (what, fix) = match gap.kind {
            GapKind::Absent => {
                ("it is new and required: old events do not have it".to_owned(), Some(DEFAULT))
            }
            GapKind::Optional => ("it was optional and is required now".to_owned(), Some(DEFAULT)),
            GapKind::Refused => (
                "it was removed, and unknown fields are refused".to_owned(),
                Some("remove `deny_unknown_fields`"),
            ),
            GapKind::Value(value) => {
                (format!("`{value}` was removed: old events have it"), Some("bring it back"))
            }
            GapKind::Type { reader, writer } => (format!("its type was {writer} and is {reader} now"), None),
            GapKind::Bound { keyword, reader, writer } => {
                (format!("its `{keyword}` was {writer} and is {reader} now"), None)
            }
        };
        Self { path: gap.path, what, fix }
    }

    /// The old program cannot read what the new one writes.
    pub(super) fn forward(gap: Gap) -> Self {
        let (what, fix) = match gap.kind {
            GapKind::Absent => ("it was removed: old readers require it".to_owned(), Some("bring it back")),
            GapKind::Optional => {
                ("it was required and is optional now: old readers require it".to_owned(), Some(KEEP))
            }
            GapKind::Refused => ("it is new, and old readers refuse unknown fields".to_owned(), None),
            GapKind::Value(value) => (format!("`{value}` is new: old readers do not know it"), None),
            GapKind::Type { reader, writer } => (format!("its type was {reader} and is {writer} now"), None),
            GapKind::Bound { keyword, reader, writer } => {
                (format!("its `{keyword}` was {reader} and is {writer} now"), None)
            }
        };
        Self { path: gap.path, what, fix }
    }
}

/// One line of what the schema lock found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The category.
    pub category: String,
    /// The wire name of the event.
    pub event: String,
    /// The schema version.
    pub version: u32,
    /// The field, as a path; empty for the payload itself.
    pub path: String,
    /// What changed.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} version {}", self.category, self.event, self.version)?;
        if !self.path.is_empty() {
            write!(f, ", field `{}`", self.path)?;
        }
        write!(f, ": {}; {}", self.what, self.fix)
    }
}

/// Published events and the program do not fit each other; one line for each difference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("events and their schema lock differ:{}", self.lines())]
pub struct SchemaDrift {
    /// The differences, by category, event and version.
    pub drifts: Vec<Drift>,
}

impl SchemaDrift {
    fn lines(&self) -> String {
        self.drifts.iter().map(|drift| format!("\n  {drift}")).collect()
    }
}
