//! The executor: one command on one stream.

use std::fmt;
use std::sync::Arc;

use super::cache::StateCache;
use super::decide::Decision;
use super::fold::Fold;
use super::step::Step;
use super::{ExecuteError, Options, backoff, limits};
use crate::codec::{EncodeError, UndecodableEvent};
use crate::key::KeyedCommand;
use crate::store::{Consistency, EventStore, Read, StoreError};
use crate::{Aggregate, Command, Commit, Event, Expected, Id, StreamName, Version};

/// Carries commands out on a store. Cheap to clone; clones share the state cache.
///
/// ```
/// # use headwater::{Aggregate, Command, Decider, Event, Executor, Id};
/// # use headwater::testing::counter::{Counter, CounterCommand};
/// # async fn example(store: std::sync::Arc<dyn headwater::EventStore>) -> Result<(), Box<dyn std::error::Error>> {
/// let executor = Executor::new(store);
/// let id = Id::<Counter>::new("visits")?;
/// let executed = executor.execute(&id, CounterCommand::Add { amount: 3 }).await?;
/// assert_eq!(executed.version.0, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Executor {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) cache: Arc<StateCache>,
    pub(super) pause: backoff::Pause,
}

/// A command that was carried out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Executed<E> {
    /// The stream.
    pub stream: StreamName,
    /// The version of the stream after the command.
    pub version: Version,
    /// The events the command made happen; none, if it had no effect.
    pub events: Vec<E>,
    /// The commit that holds them.
    pub commit: Option<Arc<Commit>>,
    /// Whether an earlier command under the same key did it, and this one nothing.
    pub replayed: bool,
}

impl<E> Executed<E> {
    /// Whether this command made the stream.
    #[must_use]
    pub fn created(&self) -> bool {
        self.commit.as_ref().is_some_and(|commit| commit.first == Version(1))
    }
}

impl Executor {
    /// An executor that caches the state of [`limits::CACHED_STREAMS`] streams.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self::with_cache(store, limits::CACHED_STREAMS)
    }

    /// An executor that caches the state of about this many streams.
    #[must_use]
    pub fn with_cache(store: Arc<dyn EventStore>, streams: usize) -> Self {
        Self { store, cache: Arc::new(StateCache::new(streams)), pause: backoff::PAUSE }
    }

    /// The same, pausing after a conflict by another clock: for simulations, whose time is not that of the machine.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn pausing(self, pause: backoff::Pause) -> Self {
        Self { pause, ..self }
    }

    /// The store it works on.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// As [`execute_with`](Self::execute_with).
    pub async fn execute<A: Aggregate>(
        &self,
        id: &Id<A>,
        command: A::Command,
    ) -> Result<Executed<A::Event>, ExecuteError<A::Refusal>> {
        self.execute_with(id, command, &Options::default()).await
    }

    /// Carries out a command: load, decide, append; after a conflict, catch up and decide again.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] and [`ExecuteError::Precondition`] are confirmed against the head of the stream
    /// before they are returned. [`ExecuteError::Contended`] after [`limits::DECISIONS`] lost races.
    ///
    /// # Cancel safety
    /// When the future is dropped the command may or may not have been carried out, whole in any case; sending it
    /// again under the same key is safe.
    ///
    /// # Cost
    /// One append when the state is cached, one more page read when it is not. A conflict costs one append more and
    /// at most one page. A command that appends nothing costs one page to confirm.
    pub async fn execute_with<A: Aggregate>(
        &self,
        id: &Id<A>,
        command: A::Command,
        options: &Options,
    ) -> Result<Executed<A::Event>, ExecuteError<A::Refusal>> {
        let keyed = keyed(&command, options)?;
        let store = &*self.store;
        let mut step = Step::<A>::open(store, &self.cache, id.stream(), command).await?;
        let mut conflicts = 0;
        loop {
            let (decision, version, confirmed) = step.decide(store, keyed.as_ref(), options)?;
            if decision.needs_confirmation() && !confirmed {
                step.confirm(store).await.inspect_err(|_| self.cache.remove(id.stream()))?;
                continue;
            }
            let stream = step.stream().clone();
            match decision {
                Decision::Append { append, events } => match store.append(append).await {
                    Ok(appended) => {
                        step.advance(&appended.commit, &events);
                        let version = appended.commit.last();
                        let commit = Some(appended.commit);
                        return Ok(Executed { stream, version, events, commit, replayed: false });
                    }
                    Err(StoreError::Conflict(_)) if conflicts + 1 == limits::DECISIONS => {
                        return Err(ExecuteError::Contended { stream, decisions: limits::DECISIONS });
                    }
                    Err(StoreError::Conflict(conflict)) => {
                        backoff::pause(self.pause, conflicts).await;
                        conflicts += 1;
                        let caught_up = step.catch_up(store, &conflict).await;
                        caught_up.inspect_err(|_| self.cache.remove(id.stream()))?;
                    }
                    Err(error) => return Err(error.into()),
                },
                Decision::Nothing => {
                    return Ok(Executed { stream, version, events: vec![], commit: None, replayed: false });
                }
                Decision::Refused(refusal) => return Err(ExecuteError::Refused { refusal, version }),
                Decision::Precondition => {
                    return Err(self.precondition(stream, options.expected, version).await);
                }
                Decision::Replay(first) => return self.replay::<A>(stream, first).await,
                Decision::KeyReused(first) => {
                    let key = keyed.map(|keyed| keyed.key).expect("only a keyed command meets its key again");
                    return Err(ExecuteError::KeyReused { key, stream, first });
                }
            }
        }
    }

    /// The state of an aggregate, strongly consistent.
    ///
    /// # Errors
    /// [`ExecuteError::Store`] or [`ExecuteError::Undecodable`].
    pub async fn state<A: Aggregate>(&self, id: &Id<A>) -> Result<Fold<A>, ExecuteError<A::Refusal>> {
        Ok(Fold::load(&*self.store, id.stream(), Consistency::Strong).await?)
    }

    /// What an earlier command under the same key did.
    pub(super) async fn replay<A: Aggregate>(
        &self,
        stream: StreamName,
        first: Version,
    ) -> Result<Executed<A::Event>, ExecuteError<A::Refusal>> {
        let commit = commit_at(&*self.store, &stream, first).await?;
        let mut events = Vec::with_capacity(commit.events.len());
        for recorded in commit.recorded() {
            let data = recorded.data;
            match A::Event::decode(&data.name, data.schema, &data.payload) {
                Ok(decoded) => events.extend_from_slice(decoded.as_slice()),
                Err(source) => {
                    let error = UndecodableEvent { stream, version: recorded.version(), source };
                    return Err(ExecuteError::Undecodable(Box::new(error)));
                }
            }
        }
        Ok(Executed { stream, version: commit.last(), events, commit: Some(commit), replayed: true })
    }

    /// The error for a stream that is not as expected, with what happened since.
    pub(super) async fn precondition<R>(
        &self,
        stream: StreamName,
        expected: Expected,
        actual: Version,
    ) -> ExecuteError<R> {
        let mut events_since = Vec::new();
        if let Expected::Exact(known) = expected
            && known < actual
        {
            let read = Read::after(known).limit(limits::EVENTS_SINCE);
            match self.store.read(&stream, read).await {
                Ok(page) => {
                    let events = page.commits.iter().flat_map(|commit| commit.recorded());
                    let since = events.filter(|event| event.version() > known).take(limits::EVENTS_SINCE);
                    events_since = since.map(|event| event.data.name.to_string()).collect();
                }
                Err(error) => return error.into(),
            }
        }
        ExecuteError::Precondition { stream, expected, actual, events_since }
    }
}

/// The command with its key, if it came with one.
pub(super) fn keyed<C: Command>(command: &C, options: &Options) -> Result<Option<KeyedCommand>, EncodeError> {
    let Some(key) = options.key.clone() else { return Ok(None) };
    let fingerprint = match options.fingerprint {
        Some(fingerprint) => fingerprint,
        None => command.fingerprint()?,
    };
    Ok(Some(KeyedCommand { key, fingerprint }))
}

/// The commit that starts at a version.
pub(super) async fn commit_at(
    store: &dyn EventStore,
    stream: &StreamName,
    first: Version,
) -> Result<Arc<Commit>, StoreError> {
    let read = Read::after(Version(first.0.saturating_sub(1))).until(first).limit(1);
    let page = store.read(stream, read).await?;
    page.commits.into_iter().find(|commit| commit.first == first).ok_or_else(|| StoreError::Corrupt {
        stream: stream.clone(),
        version: first,
        reason: "the commit a command key points to is missing".to_owned(),
    })
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("store", &self.store).field("cache", &self.cache).finish()
    }
}
