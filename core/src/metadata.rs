//! What is known about a command besides its content: who, why, as part of what.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Facts about the command that made a commit; every event of the commit shares them.
///
/// They are stored once a commit, not once an event: all events of a commit come from one command. A commit of which
/// nothing is known has no room for them. The fields are those of [`Facts`]:
///
/// ```
/// let mut metadata = headwater::Metadata::default();
/// assert!(metadata.is_empty() && metadata.actor.is_none());
/// metadata.actor = Some("teller-4".to_owned());
/// assert_eq!(metadata.actor.as_deref(), Some("teller-4"));
/// ```
#[derive(Clone, Default)]
pub struct Metadata(Option<Box<Facts>>);

/// What can be known about a command: the fields of [`Metadata`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
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

/// Of most commands nothing is known.
static NOTHING: Facts =
    Facts { correlation: None, causation: None, actor: None, traceparent: None, fields: BTreeMap::new() };

impl Metadata {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        **self == NOTHING
    }

    /// Bytes of names and values, for limits and cost.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let Some(facts) = &self.0 else { return 0 };
        let fixed = [&facts.correlation, &facts.causation, &facts.actor, &facts.traceparent];
        let fixed: usize = fixed.into_iter().flatten().map(String::len).sum();
        fixed + facts.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

impl Deref for Metadata {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Metadata {
    fn deref_mut(&mut self) -> &mut Facts {
        self.0.get_or_insert_default()
    }
}

impl From<Facts> for Metadata {
    fn from(facts: Facts) -> Self {
        Self((facts != NOTHING).then(|| Box::new(facts)))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
impl Eq for Metadata {}
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metadata").field(&**self).finish()
    }
}
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Facts::deserialize(deserializer).map(Self::from)
    }
}
