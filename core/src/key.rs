//! Command keys: the same command sent twice is carried out once, at no extra request.
//!
//! A key is stored in its commit. Loading a stream yields the keys of the commits read, a snapshot carries the last
//! [`KEYS_REMEMBERED`] of those before it, and [`KeyWindow`] holds both.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Commit, Snapshot, Version};

/// How many keyed commands of a stream are remembered, whatever their age.
pub const KEYS_REMEMBERED: usize = 1_024;

/// Longest command key in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// A client's name for one command, unique within the stream: an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CommandKey(String);

/// Why a command key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "command key of {bytes} bytes is not valid: use 1 to {MAX_KEY_BYTES} printable ASCII characters, without spaces at \
     the ends and without quotes around it"
)]
pub struct KeyError {
    /// Its length in bytes.
    pub bytes: usize,
}

impl CommandKey {
    /// Takes 1 to 255 printable ASCII characters, without spaces at the ends and without quotes around them.
    ///
    /// # Errors
    /// [`KeyError`] for anything else.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        let key = key.into();
        let printable = key.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        // In a header these would come out as another key.
        let bare = key.trim() == key && !(key.starts_with('"') && key.ends_with('"'));
        if key.is_empty() || key.len() > MAX_KEY_BYTES || !printable || !bare {
            return Err(KeyError { bytes: key.len() });
        }
        Ok(Self(key))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CommandKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for CommandKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest of a command's name and content: tells a repeat from another command under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a command: the first 8 bytes of SHA-256 over its parts, each with its length.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(digest(parts))
    }
}

fn digest(parts: &[&[u8]]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let bytes = hasher.finalize();
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What a commit stores of the command that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedCommand {
    /// The key.
    pub key: CommandKey,
    /// The digest of the command.
    pub fingerprint: Fingerprint,
}

/// A remembered key, compact: what a snapshot carries of an older commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The first 8 bytes of SHA-256 of the key.
    pub hash: u64,
    /// The digest of the command.
    pub fingerprint: Fingerprint,
    /// The first version of the commit the command made.
    pub first: Version,
}

impl KeyRecord {
    /// Its size at rest in bytes.
    pub const BYTES: usize = 24;

    /// The record of a keyed command whose commit starts at version `first`.
    #[must_use]
    pub fn new(command: &KeyedCommand, first: Version) -> Self {
        let hash = digest(&[command.key.as_str().as_bytes()]);
        Self { hash, fingerprint: command.fingerprint, first }
    }
}

/// What a key means for a command that is about to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not in the window.
    New,
    /// The same command was carried out; its commit starts at this version.
    Same(Version),
    /// Another command was carried out under this key; its commit starts at this version.
    Other(Version),
}

/// The last [`KEYS_REMEMBERED`] keyed commands of a stream, oldest first: at most 24 KiB.
///
/// Looking a key up scans the window: a map beside it would more than double the memory of every cached stream.
#[derive(Debug, Clone, Default)]
pub struct KeyWindow {
    records: VecDeque<KeyRecord>,
}

impl KeyWindow {
    /// The window a snapshot carries.
    #[must_use]
    pub fn from_snapshot(snapshot: &Snapshot) -> Self {
        let mut window = Self::default();
        snapshot.keys.iter().for_each(|record| window.remember(*record));
        window
    }

    /// Adds the key of a commit, if it has one; the oldest is forgotten when the window is full.
    pub fn note(&mut self, commit: &Commit) {
        if let Some(command) = &commit.command {
            self.remember(KeyRecord::new(command, commit.first));
        }
    }

    /// Adds a record; the oldest is forgotten when the window is full.
    pub fn remember(&mut self, record: KeyRecord) {
        if self.records.len() == KEYS_REMEMBERED {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// What is known about a command with this key and fingerprint.
    #[must_use]
    pub fn seen(&self, command: &KeyedCommand) -> Seen {
        if self.records.is_empty() {
            return Seen::New;
        }
        let hash = digest(&[command.key.as_str().as_bytes()]);
        match self.records.iter().rev().find(|record| record.hash == hash) {
            None => Seen::New,
            Some(record) if record.fingerprint == command.fingerprint => Seen::Same(record.first),
            Some(record) => Seen::Other(record.first),
        }
    }

    /// The records, oldest first.
    pub fn records(&self) -> impl ExactSizeIterator<Item = KeyRecord> + '_ {
        self.records.iter().copied()
    }
}
