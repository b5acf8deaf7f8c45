//! Several commands on several streams, carried out together or not at all.

use std::fmt;
use std::sync::Arc;

use super::executor::commit_at;
use super::fold::FoldError;
use super::plan::{Kind, Plan, Planned};
use super::{ErasedRefusal, ExecuteError, Executor, Options, backoff, limits};
use crate::codec::EncodeError;
use crate::key::{Fingerprint, KeyedCommand};
use crate::store::{Append, Check, EventStoreExt, StoreError, Transaction, each_once};
use crate::{Aggregate, Commit, Expected, Id, Snapshot, StreamName, Version};

/// Commands for several aggregates, each another stream, decided and appended together.
///
/// One key covers all of them. A command without effect still takes part: its stream must not change meanwhile.
#[derive(Default)]
pub struct Batch {
    commands: Vec<Box<dyn Planned>>,
    checks: Vec<Check>,
}

/// A batch that was carried out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchExecuted {
    /// Every stream of a command and its version after it, in the order of the commands.
    pub streams: Vec<(StreamName, Version)>,
    /// The commits, in the order of the commands; commands without effect have none. Empty after a repeat.
    pub commits: Vec<Arc<Commit>>,
    /// Whether an earlier batch under the same key did it, and this one nothing.
    pub replayed: bool,
}

impl Batch {
    /// No commands yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more command.
    #[must_use]
    pub fn command<A: Aggregate>(mut self, id: &Id<A>, command: A::Command) -> Self {
        self.commands.push(Box::new(Plan::new(id, command)));
        self
    }

    /// The same with one more stream that is only checked, not written.
    #[must_use]
    pub fn check<A: Aggregate>(mut self, id: &Id<A>, expected: Expected) -> Self {
        self.checks.push(Check { stream: id.stream().clone(), expected });
        self
    }

    /// Checked before anything is read: two commands on one stream would be decided on the same state.
    fn each_stream_once(&self) -> Result<(), StoreError> {
        let commands = self.commands.iter().map(|command| command.stream());
        each_once(commands.chain(self.checks.iter().map(|check| &check.stream))).map_err(StoreError::from)
    }

    fn keyed(&self, options: &Options) -> Result<Option<KeyedCommand>, EncodeError> {
        let Some(key) = options.key.clone() else { return Ok(None) };
        if let Some(fingerprint) = options.fingerprint {
            return Ok(Some(KeyedCommand { key, fingerprint }));
        }
        let mut parts = Vec::new();
        for command in &self.commands {
            let (name, data) = command.encode()?;
            parts.extend([command.stream().as_str().as_bytes().to_vec(), name.as_bytes().to_vec(), data]);
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Ok(Some(KeyedCommand { key, fingerprint: Fingerprint::of(&parts) }))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams: Vec<_> = self.commands.iter().map(|command| command.stream()).collect();
        f.debug_struct("Batch").field("commands", &streams).field("checks", &self.checks).finish()
    }
}

impl Executor {
    /// Carries out a batch: all of its commands or none.
    ///
    /// `options.expected` holds for the stream of every command.
    ///
    /// # Errors
    /// As [`execute_with`](Executor::execute_with), naming the first stream in the way; a refusal comes without its
    /// type. [`Invalid::StreamTwice`](crate::store::Invalid::StreamTwice) when a stream is named twice.
    ///
    /// # Cost
    /// One transaction (on DynamoDB twice the write units of as many appends) when all states are cached.
    pub async fn execute_all(
        &self,
        mut batch: Batch,
        options: &Options,
    ) -> Result<BatchExecuted, ExecuteError<ErasedRefusal>> {
        batch.each_stream_once()?;
        let keyed = batch.keyed(options)?;
        let store = &*self.store;
        for command in &mut batch.commands {
            command.open(store, &self.cache).await?;
        }
        let mut conflicts = 0;
        loop {
            let mut transaction = Transaction { appends: Vec::new(), checks: batch.checks.clone() };
            let mut streams = Vec::with_capacity(batch.commands.len());
            let mut ended = None;
            let mut replayed = Vec::new();
            let mut unconfirmed = false;
            for command in &mut batch.commands {
                let outcome = command.decide(store, keyed.as_ref(), options)?;
                unconfirmed |= !outcome.confirmed;
                streams.push((command.stream().clone(), outcome.version));
                match outcome.kind {
                    Kind::Append(append) => transaction.appends.push(append),
                    Kind::Nothing => {
                        let expected = Expected::Exact(outcome.version);
                        transaction.checks.push(Check { stream: command.stream().clone(), expected });
                    }
                    Kind::Replay(first) => replayed.push((streams.len() - 1, first)),
                    Kind::KeyReused(first) => {
                        ended = ended.or(Some(Ended::KeyReused(streams.len() - 1, first)))
                    }
                    Kind::Refused(refusal) => {
                        ended = ended.or(Some(Ended::Refused(refusal, outcome.version)))
                    }
                    Kind::Precondition => ended = ended.or(Some(Ended::Precondition(streams.len() - 1))),
                }
            }
            if !replayed.is_empty() {
                return Ok(self.batch_replay(streams, &replayed).await?);
            }
            if (ended.is_some() || transaction.appends.is_empty()) && unconfirmed {
                for command in &mut batch.commands {
                    self.keep(command.confirm(store).await, command.stream())?;
                }
                continue;
            }
            match ended {
                None if transaction.appends.is_empty() => {
                    self.confirm_checks(&batch.checks).await?;
                    return Ok(BatchExecuted { streams, commits: Vec::new(), replayed: false });
                }
                None => drop_snapshots(&mut transaction, store.capabilities().transaction_bytes),
                Some(ended) => return Err(self.ended(ended, &streams, keyed, options).await),
            }
            match store.append_all(transaction).await {
                Ok(appended) => {
                    let commits: Vec<_> = appended.into_iter().map(|appended| appended.commit).collect();
                    for commit in &commits {
                        batch.commands.iter().for_each(|command| command.advance(commit));
                        let entry = streams.iter_mut().find(|(stream, _)| *stream == commit.stream);
                        entry.into_iter().for_each(|(_, version)| *version = commit.last());
                    }
                    return Ok(BatchExecuted { streams, commits, replayed: false });
                }
                Err(StoreError::Conflict(conflict)) if conflicts + 1 == limits::DECISIONS => {
                    let stream = conflict.stream;
                    return Err(ExecuteError::Contended { stream, decisions: limits::DECISIONS });
                }
                Err(StoreError::Conflict(conflict)) => {
                    if let Some(check) = batch.checks.iter().find(|check| check.stream == conflict.stream) {
                        return Err(self
                            .precondition(conflict.stream, check.expected, conflict.actual)
                            .await);
                    }
                    backoff::pause(self.pause, conflicts).await;
                    conflicts += 1;
                    for command in &mut batch.commands {
                        let caught_up = match command.stream() == &conflict.stream {
                            true => command.catch_up(store, &conflict).await,
                            false => command.confirm(store).await,
                        };
                        self.keep(caught_up, command.stream())?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What an earlier batch under the same key did: its commits end at these versions, and where it did nothing, the
    /// stream is as it is now.
    async fn batch_replay(
        &self,
        mut streams: Vec<(StreamName, Version)>,
        replayed: &[(usize, Version)],
    ) -> Result<BatchExecuted, StoreError> {
        for (index, (stream, version)) in streams.iter_mut().enumerate() {
            *version = match replayed.iter().find(|(at, _)| *at == index) {
                Some((_, first)) => commit_at(&*self.store, stream, *first).await?.last(),
                None => self.store.version(stream).await?,
            };
        }
        Ok(BatchExecuted { streams, commits: Vec::new(), replayed: true })
    }

    /// Compares the streams that are only checked when there is no transaction to do it.
    async fn confirm_checks(&self, checks: &[Check]) -> Result<(), ExecuteError<ErasedRefusal>> {
        for Check { stream, expected } in checks {
            let version = self.store.version(stream).await?;
            if !expected.allows(version) {
                return Err(self.precondition(stream.clone(), *expected, version).await);
            }
        }
        Ok(())
    }

    /// Passes a result on; after an error the cached state may be torn and goes.
    fn keep(&self, result: Result<(), FoldError>, stream: &StreamName) -> Result<(), FoldError> {
        result.inspect_err(|_| self.cache.remove(stream))
    }

    /// The error a batch ended with.
    async fn ended(
        &self,
        ended: Ended,
        streams: &[(StreamName, Version)],
        keyed: Option<KeyedCommand>,
        options: &Options,
    ) -> ExecuteError<ErasedRefusal> {
        let at = |index: usize| streams.get(index).cloned().expect("a decision has its stream");
        match ended {
            Ended::Refused(refusal, version) => ExecuteError::Refused { refusal, version },
            Ended::Precondition(index) => {
                let (stream, actual) = at(index);
                self.precondition(stream, options.expected, actual).await
            }
            Ended::KeyReused(index, first) => {
                let key = keyed.map(|keyed| keyed.key).expect("only a keyed batch meets its key again");
                ExecuteError::KeyReused { key, stream: at(index).0, first }
            }
        }
    }
}

/// Takes snapshots away, the largest first, until a transaction fits: they are a cache, the commits are what counts.
fn drop_snapshots(transaction: &mut Transaction, limit_bytes: usize) {
    let mut bytes: usize = transaction.appends.iter().map(Append::size_bytes).sum();
    while bytes > limit_bytes {
        let size = |append: &Append| append.snapshot.as_deref().map_or(0, Snapshot::size_bytes);
        let Some(largest) = transaction.appends.iter_mut().max_by_key(|append| size(append)) else { return };
        match largest.snapshot.take() {
            Some(snapshot) => bytes -= snapshot.size_bytes(),
            None => return,
        }
    }
}

/// How a batch ends without appending; the number is the place of the command.
enum Ended {
    Refused(ErasedRefusal, Version),
    Precondition(usize),
    KeyReused(usize, Version),
}
