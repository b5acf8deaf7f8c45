//! What can go wrong in a row store, named by situation.

use super::Generation;

/// An error of a [`RowStore`](crate::RowStore).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The store takes no more for now. Nothing was written.
    #[error("the row store is overloaded: {reason}")]
    Overloaded {
        /// What is full or throttled.
        reason: String,
    },
    /// The store cannot be reached, or its answer was lost. A write may have happened: load before deciding again.
    #[error("the row store is unavailable while trying to {attempted}")]
    Unavailable {
        /// What was tried.
        attempted: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request breaks a limit or a rule. Nothing was written.
    #[error("the row store refuses the request: {reason}")]
    Invalid {
        /// The rule, and what to do.
        reason: String,
    },
    /// What was to be written does not fit the store: it is too large together, or a row is too large or too deep. Nothing
    /// was written. Parts of it may fit.
    #[error("the row store cannot hold what was to be written: {reason}")]
    Unfit {
        /// The limit, and what to do.
        reason: String,
    },
    /// What is stored cannot be read. Trying again does not help.
    #[error("what is stored under {key:?} cannot be read: {reason}")]
    Corrupt {
        /// Where.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

impl RowError {
    /// A generation was made without an index that its projection declares now.
    #[must_use]
    pub fn missing_index(generation: &Generation, index: &str) -> Self {
        let Generation { projection, number } = generation;
        Self::Invalid {
            reason: format!(
                "generation {number} of projection {projection} was made without the index {index}, so its rows are \
                 not in it: raise the version of the projection to have them built anew"
            ),
        }
    }

    /// A generation is asked by an index that it does not have.
    #[must_use]
    pub fn unknown_index(generation: &Generation, index: &str, known: &[&str]) -> Self {
        let projection = &generation.projection;
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Self::Invalid {
            reason: format!(
                "projection {projection} has no index {index:?}, known are: {known}; declare the field in `index(…)` \
                 and raise the version"
            ),
        }
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Unavailable { .. })
    }
}
