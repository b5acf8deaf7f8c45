//! Scenarios: events given, rows expected. Synchronous, through the real codec and the real step.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use headwater::{Aggregate, Commit, CommitId, Event, EventData, Metadata, StreamName, Timestamp, Version};
use serde_json::Value;

use crate::rows::LoadedRows;
use crate::{Batch, Definition, Memory, Project, Projection, Step, Writes, step};

/// Events given to a projection.
#[derive(Debug, Clone)]
pub struct Scenario<P> {
    commits: Vec<Arc<Commit>>,
    versions: HashMap<StreamName, Version>,
    at: Timestamp,
    projection: PhantomData<fn() -> P>,
}

/// A scenario without events, at the Unix epoch.
///
/// Give it events with [`Scenario::given`], then look at the rows with [`Scenario::expect`].
#[must_use]
pub fn fold<P: Projection>() -> Scenario<P> {
    Scenario {
        commits: Vec::new(),
        versions: HashMap::new(),
        at: Timestamp::UNIX_EPOCH,
        projection: PhantomData,
    }
}

impl<P: Projection> Scenario<P> {
    /// Sets the time of the events given next.
    #[must_use]
    pub fn at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// Adds events to the end of the stream of `A` with this id, each in a commit of its own.
    ///
    /// # Panics
    /// When the id is not valid or an event cannot be encoded.
    #[must_use]
    #[track_caller]
    pub fn given<A: Aggregate>(mut self, id: &str, events: impl IntoIterator<Item = A::Event>) -> Self
    where
        P: Project<A>,
    {
        let stream = StreamName::new(A::CATEGORY, id).unwrap_or_else(|error| panic!("{error}"));
        for event in events {
            let data = event.encode().unwrap_or_else(|error| panic!("{error}"));
            self = self.stored(&stream, vec![data]);
        }
        self
    }

    /// Adds a commit with events as they are stored, such as those of an old version.
    #[must_use]
    pub fn stored(mut self, stream: &StreamName, events: Vec<EventData>) -> Self {
        let version = self.versions.entry(stream.clone()).or_default();
        let commit = Commit {
            stream: stream.clone(),
            first: version.next(),
            id: CommitId::new(),
            recorded_at: self.at,
            metadata: Metadata::default(),
            command: None,
            events,
            snapshot: None,
        };
        *version = commit.last();
        self.commits.push(Arc::new(commit));
        self
    }

    /// The commits given so far.
    #[must_use]
    pub fn commits(&self) -> &[Arc<Commit>] {
        &self.commits
    }

    /// The rows.
    ///
    /// # Panics
    /// When the definition of the projection is wrong or an event cannot be applied.
    #[must_use]
    #[track_caller]
    pub fn rows(&self) -> BTreeMap<String, P> {
        let definition = definition::<P>();
        let mut memory = Memory::new();
        settle(&definition, &mut memory, self.commits.clone());
        memory.live_rows().map(|(key, row)| (key.to_owned(), row.clone())).collect()
    }

    /// Expects a row with these fields.
    ///
    /// # Panics
    /// When the row is another or does not exist.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a row is written in place, without an ampersand")]
    pub fn expect(self, key: &str, row: P) -> Self {
        let rows = self.rows();
        let got = rows.get(key).map(json);
        assert!(
            got.as_ref() == Some(&json(&row)),
            "row {key:?} of projection {} is not as expected\n expected: {}\n      got: {}",
            P::NAME,
            json(&row),
            got.map_or_else(|| "no such row".to_owned(), |got| got.to_string()),
        );
        self
    }

    /// Expects that there is no row of this key.
    ///
    /// # Panics
    /// When there is one.
    #[track_caller]
    pub fn expect_none(self, key: &str) -> Self {
        let rows = self.rows();
        let got = rows.get(key).map(json);
        assert!(got.is_none(), "row {key:?} of projection {} exists: {}", P::NAME, got.unwrap_or_default());
        self
    }
}

#[track_caller]
pub(super) fn definition<P: Projection>() -> Definition<P> {
    Definition::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Steps once over commits that are everything there is: what is not in memory does not exist.
#[track_caller]
pub(super) fn settle<P: Projection>(
    definition: &Definition<P>,
    memory: &mut Memory<P>,
    commits: Vec<Arc<Commit>>,
) -> Writes {
    let batch = Batch::from(commits);
    loop {
        match step(definition, memory, &batch) {
            Step::Needs(wanted, gaps) => {
                assert!(gaps.is_empty(), "the commits of a stream do not follow each other: {gaps:?}");
                memory.learn(&wanted, LoadedRows::default());
            }
            Step::Writes(writes) => {
                if let Some(parked) = writes.parked.first() {
                    let (stream, version, cause) = (&parked.stream, parked.first_failing, &parked.cause);
                    panic!("projection {} cannot apply version {version} of {stream}: {cause}", P::NAME);
                }
                return writes;
            }
        }
    }
}

pub(super) fn json<P: Projection>(row: &P) -> Value {
    serde_json::to_value(row).unwrap_or_else(|error| panic!("a row cannot be written as JSON: {error}"))
}
