//! cqrs-es 0.5: on its own store in memory, and on the smallest repository that a database could be.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::mem_store::{MemStore, MemStoreAggregateContext};
use cqrs_es::persist::{
    EventStoreAggregateContext, PersistedEventRepository, PersistedEventStore, PersistenceError, QueryReplay,
    ReplayStream, SerializedEvent, SerializedSnapshot,
};
use cqrs_es::{Aggregate, AggregateContext, CqrsFramework, DomainEvent, EventEnvelope, EventStore, Query};
use headwater_workload::{Command, Library, Rebuild, Totals, name};
use serde_json::Value;

use crate::rows::{Rows, see};
use crate::{Account, Event, Refusal};

/// Events in the channel of a replay: what dynamo-es takes by itself.
const CHANNEL: usize = 200;

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = Command;
    type Event = Event;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, _: &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.take(event);
    }
}

/// The number of events behind a state; each kind of store of cqrs-es has a place of its own for it.
pub trait Version {
    /// The number.
    fn version(&self) -> u64;
}

impl Version for MemStoreAggregateContext<Account> {
    fn version(&self) -> u64 {
        self.current_sequence as u64
    }
}

impl Version for EventStoreAggregateContext<Account> {
    fn version(&self) -> u64 {
        self.current_sequence as u64
    }
}

/// cqrs-es on a store, and what lies below the store, for whoever replays it.
pub struct CqrsEs<S: EventStore<Account>, K = ()> {
    framework: Arc<CqrsFramework<Account, S>>,
    /// The same store once more: the framework keeps its own to itself.
    store: Arc<S>,
    /// Events of a commit while it is filled.
    batch: usize,
    below: K,
}

/// cqrs-es over rows in memory.
pub type InRows = CqrsEs<PersistedEventStore<Kept, Account>, Kept>;

impl<S: EventStore<Account>, K: Clone> Clone for CqrsEs<S, K> {
    fn clone(&self) -> Self {
        let (framework, store) = (Arc::clone(&self.framework), Arc::clone(&self.store));
        Self { framework, store, batch: self.batch, below: self.below.clone() }
    }
}

impl<S: EventStore<Account>, K> CqrsEs<S, K> {
    /// Of two stores that are the same, and what lies below both.
    pub fn new(one: S, other: S, batch: usize, below: K) -> Self {
        Self {
            framework: Arc::new(CqrsFramework::new(one, vec![], ())),
            store: Arc::new(other),
            batch,
            below,
        }
    }
}

/// The store that comes with it: typed, without a check for conflicts. It prints two lines for each command.
#[must_use]
pub fn in_memory() -> CqrsEs<MemStore<Account>> {
    let store = MemStore::default();
    CqrsEs::new(store.clone(), store, 1_000, ())
}

/// Its persisted store over a repository: `none` for no snapshots, `aggregate` for the state beside the events, or the
/// number of events between two snapshots.
///
/// # Errors
/// When it is none of these.
pub fn persisted<R: PersistedEventRepository>(
    repository: R,
    snapshots: &str,
) -> io::Result<PersistedEventStore<R, Account>> {
    match snapshots {
        "none" => Ok(PersistedEventStore::new_event_store(repository)),
        "aggregate" => Ok(PersistedEventStore::new_aggregate_store(repository)),
        every => {
            let every = every.parse().map_err(io::Error::other)?;
            Ok(PersistedEventStore::new_snapshot_store(repository, every))
        }
    }
}

/// The persisted store over rows in memory.
///
/// # Errors
/// When there are no such snapshots.
pub fn in_rows(snapshots: &str) -> io::Result<InRows> {
    let kept = Kept::default();
    let (one, other) = (persisted(kept.clone(), snapshots)?, persisted(kept.clone(), snapshots)?);
    Ok(CqrsEs::new(one, other, 1_000, kept))
}

impl<S: EventStore<Account> + 'static, K: Clone + Send + Sync + 'static> Library for CqrsEs<S, K>
where
    S::AC: Version + Send,
{
    type Account = String;
    type Command = Command;

    fn account(number: usize) -> String {
        name(number)
    }

    async fn carry_out(&mut self, account: &String, command: Command) {
        self.framework.execute(account, command).await.expect("the workload keeps the rules");
    }

    async fn seed(&mut self, account: usize, commands: u32) {
        let id = name(account);
        for events in Account::history(account, commands).chunks(self.batch) {
            let context = self.store.load_aggregate(&id).await.expect("it can be read");
            self.store.commit(events.to_vec(), context, HashMap::new()).await.expect("it can be written");
        }
    }

    async fn held(&self, account: usize) -> (i64, u64) {
        let mut context = self.store.load_aggregate(&name(account)).await.expect("it can be read");
        (context.aggregate().balance, context.version())
    }
}

/// Rows of the read model.
#[derive(Debug, Clone, Default)]
struct Views(Arc<Mutex<Rows>>);

#[async_trait]
impl Query<Account> for Views {
    async fn dispatch(&self, account: &str, events: &[EventEnvelope<Account>]) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            see(&mut rows, account, event.sequence as u64, &event.payload);
        }
    }
}

impl Rebuild for InRows {
    async fn rebuild(&self, threads: usize) -> (Totals, Option<f64>) {
        let views = Views::default();
        let replay: QueryReplay<Kept, Views, Account> = QueryReplay::new(self.below.clone(), views.clone());
        let replaying = async move { replay.replay_all().await.expect("it can be read") };
        match threads {
            1 => replaying.await,
            _ => tokio::spawn(replaying).await.expect("it does not panic"),
        }
        let rows = views.0.lock().unwrap_or_else(PoisonError::into_inner);
        (Totals::of(rows.values().copied()), None)
    }
}

/// What a database must do at the least: rows of bytes for each stream, appended under a check of the version, parsed when
/// they are read.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    events: Arc<RwLock<HashMap<String, Vec<Stored>>>>,
    snapshots: Arc<RwLock<HashMap<String, (Vec<u8>, usize, usize)>>>,
}

#[derive(Debug)]
struct Stored {
    name: String,
    version: String,
    payload: Vec<u8>,
    metadata: Vec<u8>,
}

impl Kept {
    fn after(&self, account: &str, known: usize) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let events = self.events.read().unwrap_or_else(PoisonError::into_inner);
        let stream = events.get(account).map(Vec::as_slice).unwrap_or_default();
        let read = |(place, stored): (usize, &Stored)| {
            Ok(SerializedEvent {
                aggregate_id: account.to_owned(),
                sequence: place + 1,
                aggregate_type: Account::TYPE.to_owned(),
                event_type: stored.name.clone(),
                event_version: stored.version.clone(),
                payload: serde_json::from_slice(&stored.payload)?,
                metadata: serde_json::from_slice(&stored.metadata)?,
            })
        };
        stream.iter().enumerate().skip(known).map(read).collect()
    }

    fn write(&self, events: &[SerializedEvent]) -> Result<(), PersistenceError> {
        let Some(first) = events.first() else { return Ok(()) };
        let mut stored = Vec::with_capacity(events.len());
        for event in events {
            stored.push(Stored {
                name: event.event_type.clone(),
                version: event.event_version.clone(),
                payload: serde_json::to_vec(&event.payload)?,
                metadata: serde_json::to_vec(&event.metadata)?,
            });
        }
        let mut all = self.events.write().unwrap_or_else(PoisonError::into_inner);
        let stream = all.entry(first.aggregate_id.clone()).or_default();
        if stream.len() + 1 != first.sequence {
            return Err(PersistenceError::OptimisticLockError);
        }
        stream.extend(stored);
        Ok(())
    }
}

fn replayed(events: Vec<SerializedEvent>) -> ReplayStream {
    let (mut feed, stream) = ReplayStream::new(CHANNEL);
    tokio::spawn(async move {
        for event in events {
            if feed.push(Ok(event)).await.is_err() {
                return;
            }
        }
    });
    stream
}

impl PersistedEventRepository for Kept {
    async fn get_events<A: Aggregate>(
        &self,
        account: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.after(account, 0)
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        account: &str,
        known: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.after(account, known)
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        account: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        let snapshots = self.snapshots.read().unwrap_or_else(PoisonError::into_inner);
        let Some((state, current_sequence, current_snapshot)) = snapshots.get(account) else {
            return Ok(None);
        };
        Ok(Some(SerializedSnapshot {
            aggregate_id: account.to_owned(),
            aggregate: serde_json::from_slice(state)?,
            current_sequence: *current_sequence,
            current_snapshot: *current_snapshot,
        }))
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        self.write(events)?;
        if let (Some((account, state, number)), Some(last)) = (snapshot, events.last()) {
            let state = serde_json::to_vec(&state)?;
            let mut snapshots = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
            snapshots.insert(account, (state, last.sequence, number));
        }
        Ok(())
    }

    async fn stream_events<A: Aggregate>(&self, account: &str) -> Result<ReplayStream, PersistenceError> {
        Ok(replayed(self.after(account, 0)?))
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        let (mut feed, stream) = ReplayStream::new(CHANNEL);
        let kept = self.clone();
        tokio::spawn(async move {
            let accounts: Vec<String> = {
                let events = kept.events.read().unwrap_or_else(PoisonError::into_inner);
                events.keys().cloned().collect()
            };
            for account in accounts {
                for event in kept.after(&account, 0).unwrap_or_default() {
                    if feed.push(Ok(event)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(stream)
    }
}
