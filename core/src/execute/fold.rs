//! A stream folded into the state of its aggregate, together with what the next command needs to know.

use crate::codec::UndecodableEvent;
use crate::key::{KeyRecord, KeyWindow, KeyedCommand};
use crate::store::{Consistency, EventStore, EventStoreExt, Loaded, Read, StoreError};
use crate::{Aggregate, Commit, Event, Snapshot, StreamName, Timestamp, Version};

/// The state of an aggregate at a version.
#[derive(Debug, Clone)]
pub struct Fold<A> {
    /// The version folded so far.
    pub version: Version,
    /// The state.
    pub state: A,
    pub(super) keys: KeyWindow,
    /// The version of the newest usable snapshot.
    snapshot: Version,
    /// Whether events of a commit are being applied; still set after a panic or an error in between.
    torn: bool,
}

/// A stream could not be folded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// An event cannot be decoded.
    #[error(transparent)]
    Undecodable(Box<UndecodableEvent>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<A: Aggregate> Default for Fold<A> {
    fn default() -> Self {
        let keys = KeyWindow::default();
        Self { version: Version::EMPTY, state: A::default(), keys, snapshot: Version::EMPTY, torn: false }
    }
}

impl<A: Aggregate> Fold<A> {
    /// Loads and folds a stream, from its newest usable snapshot on.
    ///
    /// # Errors
    /// [`FoldError`] when the store fails or an event cannot be decoded. An undecodable snapshot is no error: the
    /// stream is then folded from its beginning (L8).
    ///
    /// # Cost
    /// One page of the store in most cases.
    pub async fn load(
        store: &dyn EventStore,
        stream: &StreamName,
        consistency: Consistency,
    ) -> Result<Self, FoldError> {
        let schema = A::SNAPSHOT.map(|policy| policy.version);
        let loaded = store.load(stream, schema, consistency).await?;
        let mut fold = match Self::from_snapshot(&loaded) {
            Some(fold) => fold,
            None => return Self::replay(store, stream, consistency).await,
        };
        loaded.tail.iter().try_for_each(|commit| fold.fold(commit))?;
        Ok(fold)
    }

    /// Folds a stream from its beginning up to and with `until`, without snapshots: time travel.
    ///
    /// # Errors
    /// [`FoldError`] when the store fails or an event cannot be decoded.
    pub async fn at(store: &dyn EventStore, stream: &StreamName, until: Version) -> Result<Self, FoldError> {
        let mut fold = Self::default();
        for commit in store.read_all(stream, Read::all().until(until)).await? {
            for event in commit.recorded().take_while(|event| event.version() <= until) {
                fold.apply(stream, event)?;
                fold.version = event.version();
            }
        }
        Ok(fold)
    }

    /// Folds a stream up to the last commit before the first one that was decided after `at`. Only people ask by time:
    /// the order is that of versions, whatever the clocks of the writers said.
    ///
    /// # Errors
    /// [`FoldError`] when the store fails or an event cannot be decoded.
    ///
    /// # Cost
    /// The pages up to that moment, from the beginning.
    pub async fn at_time(
        store: &dyn EventStore,
        stream: &StreamName,
        at: Timestamp,
    ) -> Result<Self, FoldError> {
        let mut fold = Self::default();
        let mut next = Some(Read::all());
        while let Some(read) = next {
            let page = store.read(stream, read.clone()).await?;
            for commit in &page.commits {
                if commit.recorded_at > at {
                    return Ok(fold);
                }
                fold.fold(commit)?;
            }
            next = read.following(&page);
        }
        Ok(fold)
    }

    async fn replay(
        store: &dyn EventStore,
        stream: &StreamName,
        consistency: Consistency,
    ) -> Result<Self, FoldError> {
        let loaded = store.load(stream, None, consistency).await?;
        let mut fold = Self::default();
        loaded.tail.iter().try_for_each(|commit| fold.fold(commit))?;
        // Snapshots of this stream cannot be read: the next commit should carry a good one.
        fold.snapshot = Version::EMPTY;
        Ok(fold)
    }

    /// The fold a snapshot stands for; nothing when there is one that cannot be decoded.
    fn from_snapshot(loaded: &Loaded) -> Option<Self> {
        let Some((version, snapshot)) = &loaded.snapshot else {
            return Some(Self::default());
        };
        let state = serde_json::from_slice(&snapshot.state).ok()?;
        let keys = KeyWindow::from_snapshot(snapshot);
        Some(Self { version: *version, state, keys, snapshot: *version, torn: false })
    }

    /// Folds the next commit; one that is folded already is passed over.
    ///
    /// # Errors
    /// [`FoldError::Undecodable`], or [`StoreError::Corrupt`] when commits are missing before this one. The state
    /// is then torn and must be dropped.
    pub fn fold(&mut self, commit: &Commit) -> Result<(), FoldError> {
        if commit.last() <= self.version {
            return Ok(());
        }
        if commit.first != self.version.next() {
            return Err(StoreError::Corrupt {
                stream: commit.stream.clone(),
                version: self.version.next(),
                reason: format!("the next commit starts at version {}", commit.first),
            }
            .into());
        }
        self.torn = true;
        for event in commit.recorded() {
            self.apply(&commit.stream, event)?;
        }
        self.advance(commit);
        Ok(())
    }

    /// Takes over a commit whose events are at hand, so that they need not be decoded.
    pub(super) fn fold_decided(&mut self, commit: &Commit, events: &[A::Event]) {
        if commit.first == self.version.next() {
            self.torn = true;
            events.iter().for_each(|event| self.state.apply(event));
            self.advance(commit);
        }
    }

    /// Whether a panic or an error came between the events of a commit.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }

    fn apply(&mut self, stream: &StreamName, event: crate::RecordedEvent<'_>) -> Result<(), FoldError> {
        let data = event.data;
        let decoded = A::Event::decode(&data.name, data.schema, &data.payload).map_err(|source| {
            let stream = stream.clone();
            FoldError::Undecodable(Box::new(UndecodableEvent { stream, version: event.version(), source }))
        })?;
        decoded.as_slice().iter().for_each(|event| self.state.apply(event));
        Ok(())
    }

    fn advance(&mut self, commit: &Commit) {
        self.torn = false;
        self.version = commit.last();
        self.keys.note(commit);
        let schema = A::SNAPSHOT.map(|policy| policy.version);
        if commit.snapshot.as_ref().is_some_and(|snapshot| Some(snapshot.schema) == schema) {
            self.snapshot = self.version;
        }
    }

    /// The snapshot that should ride in a commit of these events, if one is due and it is small enough.
    pub(super) fn snapshot_after(
        &self,
        events: &[A::Event],
        command: Option<&KeyedCommand>,
        limit_bytes: usize,
    ) -> Option<Box<Snapshot>> {
        let policy = A::SNAPSHOT?;
        let version = self.version.plus(events.len() as u64);
        if version.0 - self.snapshot.0 < policy.every {
            return None;
        }
        let mut state = self.state.clone();
        events.iter().for_each(|event| state.apply(event));
        let state = serde_json::to_vec(&state).ok()?;
        let mut keys: Vec<KeyRecord> = self.keys.records().collect();
        if let Some(command) = command {
            keys.push(KeyRecord::new(command, self.version.next()));
            if keys.len() > crate::key::KEYS_REMEMBERED {
                keys.remove(0);
            }
        }
        let snapshot = Snapshot { schema: policy.version, state: state.into(), keys };
        (snapshot.size_bytes() <= limit_bytes).then(|| Box::new(snapshot))
    }
}
