//! What may be said along with a command.

use crate::key::Fingerprint;
use crate::{CommandKey, Expected, Metadata, Version};

/// What a caller says along with a command.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// What the caller expects of the stream. A repeat under the same key is answered first, whatever this says.
    pub expected: Expected,
    /// The caller's name for the command: the same key twice is carried out once.
    pub key: Option<CommandKey>,
    /// The digest that tells a repeat under the key, when it is not that of the command: of what the client sent, if
    /// something was filled in since.
    pub fingerprint: Option<Fingerprint>,
    /// What is known about the command.
    pub metadata: Metadata,
}

impl Options {
    /// Nothing expected, no key, no metadata.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, expecting this of the stream.
    #[must_use]
    pub fn expected(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// The same, expecting exactly this version.
    #[must_use]
    pub fn at(self, version: Version) -> Self {
        self.expected(Expected::Exact(version))
    }

    /// The same with a command key.
    #[must_use]
    pub fn key(self, key: CommandKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same, telling a repeat by this digest and not by that of the command.
    #[must_use]
    pub fn fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// The same with metadata.
    #[must_use]
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }
}
