//! A broken house rule.

use std::fmt;

/// Where a rule is broken and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// A file, or a file and a line.
    pub(crate) place: String,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

impl Violation {
    /// A violation of a file as a whole, or of a package.
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// A violation on a line; `index` counts from 0.
    pub(crate) fn on_line(file: &str, index: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{file}:{}", index + 1), message)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
