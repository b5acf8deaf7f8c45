//! What clients ask, of whichever process they meet, and what they were answered. What they do not know the outcome of
//! they ask again, with the same ids of commits, of any process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{Append, Appended, Check, Consistency, StoreError, Transaction};
use headwater::{
    CommitId, EventData, EventStore, EventStoreExt, Expected, Snapshot, StreamName, Timestamp, Version,
};
use headwater_proof::simulation::{Random, lock};
use headwater_store_kinesis::KinesisStore;
use serde_json::Value;

use super::aws::Aws;
use super::check;

/// Streams of events there are.
const STREAMS: u64 = 5;
/// The schema version of snapshots, which hold a sum.
pub(crate) const SCHEMA: u32 = 1;
/// The wall clock at the beginning, in milliseconds since 1970.
const BEGINNING: u64 = 1_790_000_000_000;

/// What one commit came to.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) append: Append,
    /// Tries of which nobody knows whether they wrote it.
    pub(crate) open: u32,
    /// Where it is acknowledged to be.
    pub(crate) acknowledged: Option<Version>,
    /// Whether a client was told that it is not written because the stream is not as expected.
    pub(crate) refused: bool,
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
    /// What each process has acknowledged, in order.
    pub(crate) acknowledged: BTreeMap<(usize, StreamName), Vec<Version>>,
    /// How many of them there were when a process was first asked for a commit.
    pub(crate) before: BTreeMap<(usize, CommitId), usize>,
    /// The highest version of a stream that a client has heard of.
    known: BTreeMap<StreamName, Version>,
}

/// What a client wants to be written together.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) made: u64,
    appends: Vec<Append>,
    checks: Vec<Check>,
    /// Whether the client folds the stream first and appends to what it has seen, sometimes with a snapshot.
    folds: Option<(Consistency, bool)>,
    /// After how many milliseconds the client hangs up.
    patience: Option<u64>,
}

impl Order {
    /// Some order. Wall clocks of clients differ by some seconds.
    pub(crate) fn some(random: &mut Random, aws: &Aws) -> Self {
        let made = aws.air.now();
        let mut streams: Vec<u64> = (0..STREAMS).collect();
        let count = if random.one_in(6) { 2 + random.index(2) } else { 1 };
        let mut stream = |random: &mut Random| {
            StreamName::new("till", &streams.swap_remove(random.index(streams.len())).to_string()).unwrap()
        };
        let mut appends = Vec::new();
        for _ in 0..count {
            let stream = stream(random);
            let expected = expected(random, aws, &stream);
            let amounts: Vec<u64> = (0..=random.below(3)).map(|_| random.below(100)).collect();
            appends.push(append(random, made, stream, expected, &amounts));
        }
        let mut checks = Vec::new();
        if count > 1 && random.one_in(3) {
            let stream = stream(random);
            let known = lock(&aws.book).known.get(&stream).copied().unwrap_or_default();
            checks.push(Check { stream, expected: Expected::Exact(known) });
        }
        let consistency = if random.one_in(2) { Consistency::Eventual } else { Consistency::Strong };
        let folds = (count == 1 && random.one_in(2)).then(|| (consistency, random.one_in(2)));
        let patience = random.one_in(10).then(|| random.below(60));
        Self { made, appends, checks, folds, patience }
    }

    /// One commit to one stream, whatever there is.
    pub(crate) fn any(random: &mut Random, aws: &Aws) -> Self {
        let stream = StreamName::new("till", "0").unwrap();
        let made = aws.air.now();
        let appends = vec![append(random, made, stream, Expected::Any, &[1])];
        Self { made, appends, checks: Vec::new(), folds: None, patience: None }
    }

    /// Whether no client has heard yet what it came to.
    pub(crate) fn is_open(&self, aws: &Aws) -> bool {
        let book = lock(&aws.book);
        let unheard = |story: &Story| story.acknowledged.is_none() && !story.refused;
        self.appends.iter().all(|append| book.stories.get(&append.id).is_none_or(unheard))
    }
}

/// What a client expects of a stream: mostly what it knows, sometimes what cannot be.
fn expected(random: &mut Random, aws: &Aws, stream: &StreamName) -> Expected {
    let known = lock(&aws.book).known.get(stream).copied().unwrap_or_default();
    match random.below(12) {
        0..=5 => Expected::Exact(known),
        6 => Expected::Exact(Version(known.0.saturating_sub(1 + random.below(2)))),
        7 => Expected::Exact(known.plus(1 + random.below(2))),
        8 => Expected::NoStream,
        9 => Expected::Exists,
        _ => Expected::Any,
    }
}

fn append(random: &mut Random, made: u64, stream: StreamName, expected: Expected, amounts: &[u64]) -> Append {
    let millisecond = BEGINNING + made + random.below(10_000);
    let (one, other) = (random.draw().to_be_bytes(), random.draw().to_be_bytes());
    let mut chance = [0; 10];
    chance.iter_mut().zip(one.into_iter().chain(other)).for_each(|(to, from)| *to = from);
    let id = uuid::Builder::from_unix_timestamp_millis(millisecond, &chance).into_uuid();
    let event = |amount: &u64| EventData {
        name: "Paid".into(),
        schema: 1,
        payload: amount.to_string().into_bytes().into(),
    };
    let mut append = Append::new(stream, expected, amounts.iter().map(event).collect());
    append.id = CommitId(id);
    append.recorded_at = Timestamp::from_millisecond(millisecond as i64).unwrap();
    append
}

/// What an event adds.
pub(crate) fn amount(event: &EventData) -> u64 {
    std::str::from_utf8(&event.payload).unwrap().parse().unwrap()
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
        append.snapshot = snapshot.then(|| Snapshot { schema: SCHEMA, state, keys: Vec::new() });
    }
    for append in &mut order.appends {
        // Asked again, even at the same time, it is the same append.
        if let Some(story) = lock(&aws.book).stories.get(&append.id) {
            *append = story.append.clone();
        }
    }
    let there: Vec<bool> = order.appends.iter().map(|append| begun(&aws, process, append)).collect();
    let written = write(&store, &order);
    let patience = Duration::from_millis(order.patience.unwrap_or(u64::from(u32::MAX)));
    let Ok(answer) = tokio::time::timeout(patience, written).await else { return };
    let word = answer.as_ref().map_or_else(|error| format!("{:?}", error.kind()), |_| "written".to_owned());
    for (place, (append, there)) in order.appends.iter().zip(there).enumerate() {
        aws.air.note(&format!("{process} answers {} {:?}: {word}", append.stream, append.expected));
        answered(&aws, process, (append, there), answer.as_ref().map(|appended| &appended[place]));
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

/// A try begins. Says whether the commit is in the ledger already.
fn begun(aws: &Aws, process: usize, append: &Append) -> bool {
    let mut book = lock(&aws.book);
    let story = Story { append: append.clone(), open: 0, acknowledged: None, refused: false };
    book.stories.entry(append.id).or_insert(story).open += 1;
    let acknowledged = book.acknowledged.get(&(process, append.stream.clone())).map_or(0, Vec::len);
    book.before.entry((process, append.id)).or_insert(acknowledged);
    book.places.contains_key(&append.id)
}

/// A try is answered; `there` is whether the commit was in the ledger before it began.
fn answered(
    aws: &Aws,
    process: usize,
    (append, there): (&Append, bool),
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
            story.open -= 1;
            story.acknowledged = Some(commit.first);
            acknowledged.entry((process, append.stream.clone())).or_default().push(commit.first);
            *known = commit.last().max(*known);
        }
        Err(StoreError::Conflict(conflict)) => {
            story.open -= 1;
            story.refused = true;
            // Unless another try of it may have been carried out in the meantime.
            if there || (story.open == 0 && places.contains_key(&append.id)) {
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
        Err(error) if error.retry_helps() => story.open -= 1,
        Err(error) => broken = Some(format!("L1: an append fails: {error}")),
    }
    drop(book);
    if let Some(broken) = broken {
        aws.air.broke(broken);
    }
}
