//! The definition of a projection, checked once before anything runs.

use std::fmt;

use headwater::check_category;

use crate::{Projection, Source};

/// A projection whose definition was checked.
pub struct Definition<P> {
    sources: Vec<Source<P>>,
}

/// What is wrong with the definition of a projection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The name has a character that is not allowed.
    #[error(
        "projection name {name:?} is not valid: use lower-case letters, digits and hyphens, starting with a letter"
    )]
    Name {
        /// The name.
        name: &'static str,
    },
    /// The version is 0.
    #[error("projection {name} has version 0: versions start at 1")]
    Version {
        /// The projection.
        name: &'static str,
    },
    /// It reads nothing.
    #[error("projection {name} reads no aggregate: name at least one in `from(…)`")]
    NoSource {
        /// The projection.
        name: &'static str,
    },
    /// It reads the same category twice.
    #[error("projection {name} reads category {category} twice: name each aggregate once in `from(…)`")]
    SourceTwice {
        /// The projection.
        name: &'static str,
        /// The category.
        category: &'static str,
    },
    /// It reads several aggregates, though its rows are fed by one stream each.
    #[error(
        "projection {name} reads {sources} aggregates, so a row may be fed by many streams: add `shared`"
    )]
    NotShared {
        /// The projection.
        name: &'static str,
        /// How many aggregates it reads.
        sources: usize,
    },
    /// Two projections have the same name.
    #[error("projection name {name} is used twice: give each projection a name of its own")]
    NameTwice {
        /// The name.
        name: &'static str,
    },
    /// The name of a group has a character that is not allowed.
    #[error(
        "group name {name:?} is not valid: use lower-case letters, digits and hyphens, starting with a letter"
    )]
    Group {
        /// The name.
        name: String,
    },
}

impl<P: Projection> Definition<P> {
    /// Checks the definition of `P`.
    ///
    /// # Errors
    /// [`DefinitionError`] naming the projection and the rule it breaks.
    pub fn new() -> Result<Self, DefinitionError> {
        let (name, sources) = (P::NAME, P::sources());
        if check_category(name).is_err() {
            return Err(DefinitionError::Name { name });
        }
        if P::VERSION == 0 {
            return Err(DefinitionError::Version { name });
        }
        if sources.is_empty() {
            return Err(DefinitionError::NoSource { name });
        }
        let mut categories: Vec<_> = sources.iter().map(Source::category).collect();
        categories.sort_unstable();
        if let Some((category, _)) = categories.iter().zip(categories.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(DefinitionError::SourceTwice { name, category });
        }
        if !P::SHARED && sources.len() > 1 {
            return Err(DefinitionError::NotShared { name, sources: sources.len() });
        }
        Ok(Self { sources })
    }

    pub(crate) fn sources(&self) -> &[Source<P>] {
        &self.sources
    }

    /// The source that reads a category.
    #[must_use]
    pub fn source(&self, category: &str) -> Option<&Source<P>> {
        self.sources.iter().find(|source| source.category() == category)
    }
}

impl<P> Clone for Definition<P> {
    fn clone(&self) -> Self {
        Self { sources: self.sources.clone() }
    }
}

impl<P> fmt::Debug for Definition<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("sources", &self.sources).finish()
    }
}
