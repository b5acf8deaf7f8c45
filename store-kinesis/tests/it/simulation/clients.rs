//! What clients ask, of whichever process they meet, and what they were answered. What they do not know the outcome of
//! they ask again, with the same ids of commits, of any process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{Append, Appended, Consistency, StoreError, Transaction};
use headwater::{CommitId, EventData, EventStore, EventStoreExt, Expected, Snapshot, StreamName, Version};
use headwater_proof::simulation::lock;
use headwater_store_kinesis::KinesisStore;
use serde_json::Value;

use super::aws::Aws;
use super::check;
use super::orders::{Order, amount};
use super::tries::{Tries, Try};

/// The schema version of snapshots, which hold a sum.
pub(crate) const SCHEMA: u32 = 1;

/// What one commit came to.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) append: Append,
    pub(crate) tries: Tries,
    /// Where it is acknowledged to be.
    pub(crate) acknowledged: Option<Version>,
}

impl Story {
    pub(crate) fn amounts(&self) -> impl Iterator<Item = u64> {
        self.append.events.iter().map(amount)
    }
}

/// Everything that was asked and answered.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) stories: BTreeMap<CommitId, Story>,
    /// Where each commit of the ledger is.
    pub(crate) places: BTreeMap<CommitId, (StreamName, Version)>,
    /// Its events, as its item has them.
    pub(crate) events: BTreeMap<CommitId, Vec<EventData>>,
    /// What each process has acknowledged, in order.
    pub(crate) acknowledged: BTreeMap<(usize, StreamName), Vec<Version>>,
    /// How many of them there were when a process was first asked for a commit.
    pub(crate) before: BTreeMap<(usize, CommitId), usize>,
    /// The highest version of a stream that a client has heard of.
    pub(crate) known: BTreeMap<StreamName, Version>,
}

/// Asks a process. What it answers is taken down; a client that hangs up, or whose process dies, hears nothing.
pub(crate) async fn ask(aws: Arc<Aws>, store: Arc<KinesisStore>, process: usize, mut order: Order) {
    let is_known = order.appends.iter().any(|append| lock(&aws.book).stories.contains_key(&append.id));
    if let Some((consistency, snapshot)) = order.folds.filter(|_| !is_known)
        && let Some(append) = order.appends.first_mut()
    {
        let Some((version, sum)) = fold(&aws, &store, &append.stream, consistency).await else { return };
        append.expected = Expected::Exact(version);
        let after = sum + append.events.iter().map(amount).sum::<u64>();
        let state = Value::from(after).to_string().into_bytes().into();
        append.snapshot = snapshot.then(|| Box::new(Snapshot { schema: SCHEMA, state, keys: Vec::new() }));
    }
    for append in &mut order.appends {
        // Asked again, even at the same time, it is the same append.
        if let Some(story) = lock(&aws.book).stories.get(&append.id) {
            *append = story.append.clone();
        }
    }
    let begun: Vec<Begun> = order.appends.iter().map(|append| begin(&aws, process, append)).collect();
    let ids = order.appends.iter().map(|append| append.id).collect();
    let _until_it_ends = UnderWay { aws: Arc::clone(&aws), ids };
    let written = write(&store, &order);
    let patience = Duration::from_millis(order.patience.unwrap_or(u64::from(u32::MAX)));
    let Ok(answer) = tokio::time::timeout(patience, written).await else { return };
    let word = answer.as_ref().map_or_else(|error| format!("{:?}", error.kind()), |_| "written".to_owned());
    for (place, (append, begun)) in order.appends.iter().zip(begun).enumerate() {
        aws.air.note(&format!("{process} answers {} {:?}: {word}", append.stream, append.expected));
        answered(&aws, process, (append, begun), answer.as_ref().map(|appended| &appended[place]));
    }
}

/// A try of a commit.
struct Begun {
    this: Try,
    /// Whether the commit was in the ledger already.
    there: bool,
}

/// A call that is under way, until this is dropped.
struct UnderWay {
    aws: Arc<Aws>,
    ids: Vec<CommitId>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut book = lock(&self.aws.book);
        for id in &self.ids {
            if let Some(story) = book.stories.get_mut(id) {
                story.tries.end();
            }
        }
    }
}

async fn write(store: &KinesisStore, order: &Order) -> Result<Vec<Appended>, StoreError> {
    match order.appends.as_slice() {
        [append] if order.checks.is_empty() => store.append(append.clone()).await.map(|one| vec![one]),
        appends => {
            let transaction = Transaction { appends: appends.to_vec(), checks: order.checks.clone() };
            store.append_all(transaction).await
        }
    }
}

/// Folds a stream from its newest snapshot. Whatever it sees must have been, and strongly consistent all of it (L8).
async fn fold(
    aws: &Aws,
    store: &KinesisStore,
    stream: &StreamName,
    consistency: Consistency,
) -> Option<(Version, u64)> {
    let least = check::head(aws, stream);
    let loaded = match store.load(stream, Some(SCHEMA), consistency).await {
        Ok(loaded) => loaded,
        Err(error) if error.retry_helps() => return None,
        Err(error) => {
            aws.air.broke(format!("L1: {stream} cannot be folded: {error}"));
            return None;
        }
    };
    let sum =
        loaded.snapshot.iter().map(|(_, snapshot)| serde_json::from_slice::<u64>(&snapshot.state).unwrap());
    let events = loaded.tail.iter().flat_map(|commit| &commit.events);
    let (sum, version) = (sum.chain(events.map(amount)).sum::<u64>(), loaded.version());
    if check::sum_at(aws, stream, version) != Some(sum) {
        aws.air.broke(format!("L8: {stream} folds to {sum} at version {version}"));
    }
    if consistency == Consistency::Strong && version < least {
        aws.air.broke(format!("L3: {stream} had version {least}, a strong read gives {version}"));
    }
    Some((version, sum))
}

/// A try begins.
fn begin(aws: &Aws, process: usize, append: &Append) -> Begun {
    let mut book = lock(&aws.book);
    let story = Story { append: append.clone(), tries: Tries::default(), acknowledged: None };
    let this = book.stories.entry(append.id).or_insert(story).tries.begin();
    let acknowledged = book.acknowledged.get(&(process, append.stream.clone())).map_or(0, Vec::len);
    book.before.entry((process, append.id)).or_insert(acknowledged);
    Begun { this, there: book.places.contains_key(&append.id) }
}

/// A try is answered.
fn answered(
    aws: &Aws,
    process: usize,
    (append, Begun { this, there }): (&Append, Begun),
    answer: Result<&Appended, &StoreError>,
) {
    let mut broken = None;
    let head = check::head(aws, &append.stream);
    let mut book = lock(&aws.book);
    let Book { stories, places, acknowledged, known, .. } = &mut *book;
    let story = stories.get_mut(&append.id).unwrap();
    let known = known.entry(append.stream.clone()).or_default();
    match answer {
        Ok(appended) => {
            let commit = &appended.commit;
            if commit.id != append.id || commit.events != append.events || commit.stream != append.stream {
                broken = Some(format!("L3: another commit was acknowledged: {commit:?}"));
            }
            if story.acknowledged.is_some_and(|first| first != commit.first) {
                broken = Some(format!("L3: {} is told two outcomes: {story:?}", append.id));
            }
            story.tries.heard();
            story.acknowledged = Some(commit.first);
            acknowledged.entry((process, append.stream.clone())).or_default().push(commit.first);
            *known = commit.last().max(*known);
        }
        Err(StoreError::Conflict(conflict)) => {
            let (expected, actual) = (conflict.expected, conflict.actual);
            let passed = matches!(expected, Expected::Exact(version) if actual > version);
            story.tries.refuse(this, passed || expected == Expected::NoStream);
            // Unless another try of it was carried out in the meantime.
            if there || (story.tries.is_refused() && places.contains_key(&append.id)) {
                broken =
                    Some(format!("L3: {} is in the ledger, and a client is told that it is not", append.id));
            }
            if conflict.stream == append.stream && conflict.actual > head {
                broken = Some(format!("L3: a conflict names {}, the head is {head}", conflict.actual));
            }
            if conflict.stream == append.stream {
                *known = conflict.actual.max(*known);
            }
        }
        // It may have been written, by this try.
        Err(StoreError::OutcomeUnknown { .. }) => {}
        Err(error) if error.retry_helps() => story.tries.fail(this),
        Err(error) => broken = Some(format!("L1: an append fails: {error}")),
    }
    drop(book);
    if let Some(broken) = broken {
        aws.air.broke(broken);
    }
}
