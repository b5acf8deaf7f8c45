//! Whether a ledger and its archive hold the same.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::Scan;
use headwater::{Commit, EventStore, StreamName, Version};
use sha2::{Digest, Sha256};

use crate::limits::NAMED_DIFFERENCES;
use crate::replay::{Heads, Sink, replay};
use crate::restore::page;
use crate::{Archive, RestoreError};

/// What a comparison has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Comparison {
    /// Streams of the ledger.
    pub streams: u64,
    /// Commits of the ledger.
    pub commits: u64,
    /// Events of the ledger.
    pub events: u64,
    /// Streams that are not the same in both.
    pub different: u64,
    /// The first of them, by name.
    pub differences: Vec<Difference>,
}

/// A stream that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream.
    pub stream: StreamName,
    /// Its version in the ledger.
    pub ledger: Version,
    /// Its version in the archive. The same as in the ledger means that the commits differ.
    pub archive: Version,
}

impl Comparison {
    /// Whether both hold the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0
    }
}

/// Reads both and compares every stream: versions, commits, ids, times, keys, metadata and payloads. Snapshots are no part
/// of it. Of a ledger that is being written to, the newest commits may not be in the archive yet.
///
/// # Errors
/// [`RestoreError`] when one of them cannot be read, or the archive misses a version in the middle of a stream.
///
/// # Cost
/// A scan of the ledger and one reading of the archive; memory for the name of each stream and 48 bytes.
pub async fn compare(archive: &Archive, ledger: &Arc<dyn EventStore>) -> Result<Comparison, RestoreError> {
    let files = archive.files().await?;
    let mut archived = Fold::default();
    replay(archive, &files, &mut Heads::new(), &mut archived).await?;
    let (mut stored, mut comparison) = (Fold::default(), Comparison::default());
    let mut next = Some(Scan::all());
    while let Some(scan) = next {
        let page = page(ledger, &scan).await?;
        for commit in page.commits {
            comparison.commits += 1;
            comparison.events += commit.events.len() as u64;
            stored.add(&commit);
        }
        next = page.next.map(|cursor| Scan::all().after(cursor));
    }
    comparison.streams = stored.streams.len() as u64;
    let version = |state: Option<&State>| state.map_or(Version::EMPTY, |state| state.version);
    let mut differences = Vec::new();
    for (stream, state) in &stored.streams {
        let there = archived.streams.remove(stream);
        if there.as_ref() != Some(state) {
            let (ledger, archive) = (state.version, version(there.as_ref()));
            differences.push(Difference { stream: stream.clone(), ledger, archive });
        }
    }
    differences.extend(archived.streams.into_iter().map(|(stream, state)| Difference {
        stream,
        ledger: Version::EMPTY,
        archive: state.version,
    }));
    differences.sort_by(|a, b| a.stream.cmp(&b.stream));
    comparison.different = differences.len() as u64;
    differences.truncate(NAMED_DIFFERENCES);
    comparison.differences = differences;
    Ok(comparison)
}

/// A digest of each stream.
#[derive(Default)]
struct Fold {
    streams: HashMap<StreamName, State>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    version: Version,
    digest: [u8; 32],
}

impl Fold {
    fn add(&mut self, commit: &Commit) {
        let state = self.streams.entry(commit.stream.clone()).or_default();
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(&state.digest);
        part(&commit.first.0.to_le_bytes());
        part(commit.id.0.as_bytes());
        part(&commit.recorded_at.as_microsecond().to_le_bytes());
        part(&serde_json::to_vec(&commit.metadata).expect("metadata is texts under texts"));
        if let Some(command) = &commit.command {
            part(command.key.as_str().as_bytes());
            part(&command.fingerprint.0.to_le_bytes());
        }
        for event in &commit.events {
            part(event.name.as_bytes());
            part(&event.schema.to_le_bytes());
            part(&event.payload);
        }
        *state = State { version: commit.last(), digest: hasher.finalize().into() };
    }
}

#[async_trait]
impl Sink for Fold {
    async fn take(&mut self, commits: Vec<Commit>) -> Result<(), RestoreError> {
        commits.iter().for_each(|commit| self.add(commit));
        Ok(())
    }
}
