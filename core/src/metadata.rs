//! What is known about a command besides its content: who, why, as part of what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Facts about the command that made a commit; every event of the commit shares them.
///
/// They are stored once a commit, not once an event: all events of a commit come from one command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metadata {
    /// The conversation this belongs to; every command and event of one business transaction has the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// What directly caused it: the id of a message or an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// W3C trace context, the `traceparent` header as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Anything else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl Metadata {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes of names and values, for limits and cost.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let fixed = [&self.correlation, &self.causation, &self.actor, &self.traceparent];
        let fixed: usize = fixed.into_iter().flatten().map(String::len).sum();
        fixed + self.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}
