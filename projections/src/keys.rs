//! Keys: which rows an event belongs to.

use headwater::StreamName;

use crate::{Cause, CauseKind};

/// Longest key of a row in bytes. A DynamoDB partition key holds 2,048; the rest is for a prefix.
pub const MAX_ROW_KEY_BYTES: usize = 1_024;

/// The rows an event belongs to.
///
/// ```
/// use headwater_projections::Keys;
/// assert_eq!(Keys::one("2026-11-23"), Keys::One("2026-11-23".to_owned()));
/// assert_eq!(Keys::many(["a", "b"]), Keys::Many(vec!["a".to_owned(), "b".to_owned()]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Keys {
    /// The row named by the stream's id.
    #[default]
    Stream,
    /// No row: the event is ignored. The version counts all the same, so that nothing looks missing later.
    None,
    /// One row. Only for shared projections.
    One(String),
    /// Several rows; a key that stands twice counts once. Only for shared projections.
    Many(Vec<String>),
}

impl Keys {
    /// One row.
    pub fn one(key: impl Into<String>) -> Self {
        Self::One(key.into())
    }

    /// Several rows.
    pub fn many<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self::Many(keys.into_iter().map(Into::into).collect())
    }

    /// The keys as text, distinct and checked.
    pub(crate) fn resolve(
        self,
        projection: &'static str,
        shared: bool,
        stream: &StreamName,
    ) -> Result<Vec<String>, Cause> {
        let mut keys = match self {
            Self::Stream => return Ok(vec![stream.id().to_owned()]),
            Self::None => return Ok(Vec::new()),
            Self::One(_) | Self::Many(_) if !shared => {
                let message = format!(
                    "projection {projection} chose keys of its own, but a row of it is fed by one stream: \
                     add `shared` to its definition, or return `Keys::Stream` or `Keys::None`"
                );
                return Err(Cause::new(CauseKind::Keys, message));
            }
            Self::One(key) => vec![key],
            Self::Many(keys) => keys,
        };
        if let Some(bad) = keys.iter().find(|key| key.is_empty() || key.len() > MAX_ROW_KEY_BYTES) {
            let message = format!(
                "projection {projection} chose a key of {} bytes: a key has 1 to {MAX_ROW_KEY_BYTES} bytes",
                bad.len()
            );
            return Err(Cause::new(CauseKind::Keys, message));
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}
