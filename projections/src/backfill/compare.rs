//! Comparing rows with a fold of their own: what differs, field by field.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, TryStreamExt};
use headwater::{StreamName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BackfillError;
use super::limits::{DIFFERENCES, SAMPLE_ROWS, STREAMS_IN_FLIGHT};
use super::refold::refold;
use super::target::{Context, Typed};
use crate::rows::{StoredRow, Wanted};
use crate::{Projection, Transaction};

/// Which rows are compared before a generation may be promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// A sample of every slot.
    #[default]
    Sample,
    /// Every row. It costs as much as folding everything once more, from the ledger.
    All,
    /// None.
    #[serde(rename = "none")]
    Nothing,
}

impl Verify {
    /// Rows of each of so many parts.
    pub(super) fn sample(self, parts: usize) -> usize {
        match self {
            Self::Sample => SAMPLE_ROWS.div_ceil(parts.max(1)),
            Self::All => usize::MAX,
            Self::Nothing => 0,
        }
    }
}

/// A row that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Its key.
    pub key: String,
    /// What is different, a line for each field.
    pub fields: Vec<FieldDifference>,
}

/// A field that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldDifference {
    /// The field; `#version` is the version of the row.
    pub field: String,
    /// What is stored, as JSON.
    pub stored: String,
    /// What a fold of the ledger gives, as JSON.
    pub folded: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {:?}:", self.key)?;
        for FieldDifference { field, stored, folded } in &self.fields {
            write!(f, " {field} is {stored}, a fold of the ledger gives {folded};")?;
        }
        Ok(())
    }
}

/// Differences that were found, the first of them whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Differences(Arc<Mutex<(u64, u64, Vec<Difference>)>>);

impl Differences {
    /// Rows compared, rows that differ, and the first of those.
    pub(super) fn found(&self) -> (u64, u64, Vec<Difference>) {
        self.locked().clone()
    }

    pub(super) fn note(&self, difference: Option<Difference>) {
        let mut found = self.locked();
        found.0 += 1;
        if let Some(difference) = difference {
            found.1 += 1;
            if found.2.len() < DIFFERENCES {
                found.2.push(difference);
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, (u64, u64, Vec<Difference>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is different between a row as it is stored and as it should be.
pub(super) fn difference(
    key: &str,
    stored: Option<&StoredRow>,
    version: Option<Version>,
    fields: Option<&[u8]>,
) -> Option<Difference> {
    let absent = || "nothing".to_owned();
    let mut all = Vec::new();
    let mut differs = |field: &str, stored: String, folded: String| {
        if stored != folded {
            all.push(FieldDifference { field: field.to_owned(), stored, folded });
        }
    };
    if let Some(version) = version {
        let stored = stored.map_or_else(absent, |row| row.revision.0.to_string());
        differs("#version", stored, if version.is_empty() { absent() } else { version.to_string() });
    }
    let read =
        |json: Option<&[u8]>| json.map(|json| serde_json::from_slice::<Value>(json).unwrap_or_default());
    let stored = read(stored.and_then(|row| row.fields.as_deref()));
    match (stored, read(fields)) {
        (Some(Value::Object(stored)), Some(Value::Object(folded))) => {
            let names: std::collections::BTreeSet<_> = stored.keys().chain(folded.keys()).collect();
            for name in names {
                let text = |value: Option<&Value>| value.map_or_else(absent, Value::to_string);
                differs(name, text(stored.get(name)), text(folded.get(name)));
            }
        }
        (stored, folded) => {
            let text = |value: Option<Value>| value.map_or_else(absent, |value| value.to_string());
            differs("the row", text(stored), text(folded));
        }
    }
    (!all.is_empty()).then(|| Difference { key: key.to_owned(), fields: all })
}

impl<P: Projection> Typed<P> {
    /// Compares rows that are fed by one stream each with a fold of the stream, up to the version that the row has.
    pub(super) async fn compare_own(
        &self,
        context: &Context,
        sample: &[(String, Version)],
    ) -> Result<(), BackfillError> {
        let Some(category) = self.definition.sources().first().map(crate::Source::category) else {
            return Ok(());
        };
        let comparing: Vec<_> =
            sample.iter().map(|(key, version)| self.compare_one(context, category, key, *version)).collect();
        futures::stream::iter(comparing).buffer_unordered(STREAMS_IN_FLIGHT).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    async fn compare_one(
        &self,
        context: &Context,
        category: &str,
        key: &str,
        version: Version,
    ) -> Result<(), BackfillError> {
        let wanted = Wanted { rows: [key.to_owned()].into(), ..Wanted::default() };
        let load = || context.rows.load(&context.generation, &wanted);
        let stored = context.writing().await?.patiently(0, load).await?.rows.into_iter().next();
        let Ok(stream) = StreamName::new(category, key) else { return Ok(()) };
        // A row that has moved on meanwhile is compared where it is.
        let there = stored.as_ref().map_or(Version::EMPTY, |row| Version(row.revision.0));
        let until = there.max(version);
        let folded = refold(&self.definition, context.ledger.as_ref(), &stream, until).await?;
        let found = difference(key, stored.as_ref(), Some(folded.version), folded.fields.as_deref());
        context.differences.note(found);
        Ok(())
    }

    /// Reads rows back that were just written, and compares them with what was to be written.
    pub(super) async fn compare_shared(
        &self,
        context: &Context,
        rows: &[Transaction],
    ) -> Result<(), BackfillError> {
        let wanted = rows.iter().flat_map(|transaction| &transaction.rows);
        let wanted: Vec<_> = wanted.take(context.verify.sample(1)).collect();
        for some in wanted.chunks(100) {
            let keys = some.iter().map(|row| row.key.clone()).collect();
            let load = Wanted { rows: keys, ..Wanted::default() };
            let loaded = context
                .writing()
                .await?
                .patiently(0, || context.rows.load(&context.generation, &load))
                .await?;
            for row in some {
                let stored = loaded.rows.iter().find(|stored| stored.key == row.key);
                context.differences.note(difference(&row.key, stored, None, row.fields.as_deref()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;

    #[test]
    fn differences_are_named_field_by_field() {
        let stored = |fields: Option<&str>| StoredRow {
            key: "a".to_owned(),
            revision: Revision(3),
            fields: fields.map(|fields| fields.to_owned().into()),
        };
        let row = stored(Some(r#"{"b":1,"a":"x"}"#));
        assert_eq!(difference("a", Some(&row), Some(Version(3)), Some(br#"{"a":"x","b":1}"#)), None);
        let found =
            difference("a", Some(&row), Some(Version(4)), Some(br#"{"a":"x","b":2,"c":null}"#)).unwrap();
        assert_eq!(
            found.to_string(),
            "row \"a\": #version is 3, a fold of the ledger gives 4; b is 1, a fold of the ledger gives 2; c is nothing, \
             a fold of the ledger gives null;"
        );
        let found = difference("a", None, Some(Version(1)), Some(b"{}")).unwrap();
        assert_eq!(found.fields.len(), 2, "{found}");
        assert_eq!(difference("a", Some(&stored(None)), Some(Version(3)), None), None);
        assert_eq!(difference("a", None, Some(Version(0)), None), None);
    }
}
