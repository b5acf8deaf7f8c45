//! Versions of a stream and what a writer may expect of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of events in a stream; also the number of its last event. The first event has version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream that has no events.
    pub const EMPTY: Self = Self(0);

    /// The version after `events` more events.
    #[must_use]
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0 + events)
    }

    /// The version of the next event.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// Whether the stream has no events.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a writer expects the stream's version to be.
///
/// ```
/// use headwater::{Expected, Version};
/// assert!(Expected::Exact(Version(3)).allows(Version(3)));
/// assert!(!Expected::NoStream.allows(Version(1)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Expected {
    /// Whatever it is.
    #[default]
    Any,
    /// The stream has no events yet.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The stream has exactly this version. `Exact(Version::EMPTY)` means the same as `NoStream`.
    Exact(Version),
}

impl Expected {
    /// Whether a stream at `version` is as expected.
    #[must_use]
    pub fn allows(self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => version.is_empty(),
            Self::Exists => !version.is_empty(),
            Self::Exact(expected) => expected == version,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::NoStream => f.write_str("no stream"),
            Self::Exists => f.write_str("an existing stream"),
            Self::Exact(version) => write!(f, "version {version}"),
        }
    }
}
