//! A command of a batch, without its type.

use async_trait::async_trait;

use super::cache::StateCache;
use super::decide::Decision;
use super::fold::FoldError;
use super::step::Step;
use super::{ErasedRefusal, Options};
use crate::codec::EncodeError;
use crate::key::KeyedCommand;
use crate::store::{Append, Conflict, EventStore};
use crate::{Aggregate, Command, Commit, Id, StreamName, Version};

/// What one command of a batch comes to, without its type.
pub(super) struct Outcome {
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) confirmed: bool,
}

/// What it comes to on the state as it is.
pub(super) enum Kind {
    Append(Append),
    Nothing,
    Refused(ErasedRefusal),
    Precondition,
    Replay(Version),
    KeyReused(Version),
}

/// A command of a batch, without its type.
#[async_trait]
pub(super) trait Planned: Send + Sync {
    fn stream(&self) -> &StreamName;
    fn encode(&self) -> Result<(&'static str, Vec<u8>), EncodeError>;
    async fn open(&mut self, store: &dyn EventStore, cache: &StateCache) -> Result<(), FoldError>;
    fn decide(
        &mut self,
        store: &dyn EventStore,
        keyed: Option<&KeyedCommand>,
        options: &Options,
    ) -> Result<Outcome, EncodeError>;
    async fn confirm(&mut self, store: &dyn EventStore) -> Result<(), FoldError>;
    async fn catch_up(&mut self, store: &dyn EventStore, conflict: &Conflict) -> Result<(), FoldError>;
    fn advance(&self, commit: &Commit);
}

/// A command of a batch; `step` is there once it is opened.
pub(super) struct Plan<A: Aggregate> {
    stream: StreamName,
    command: A::Command,
    step: Option<Step<A>>,
    events: Vec<A::Event>,
}

impl<A: Aggregate> Plan<A> {
    pub(super) fn new(id: &Id<A>, command: A::Command) -> Self {
        Self { stream: id.stream().clone(), command, step: None, events: Vec::new() }
    }

    fn step(&mut self) -> &mut Step<A> {
        self.step.as_mut().expect("a batch opens every command before it decides")
    }
}

#[async_trait]
impl<A: Aggregate> Planned for Plan<A> {
    fn stream(&self) -> &StreamName {
        &self.stream
    }

    fn encode(&self) -> Result<(&'static str, Vec<u8>), EncodeError> {
        self.command.encode()
    }

    async fn open(&mut self, store: &dyn EventStore, cache: &StateCache) -> Result<(), FoldError> {
        self.step = Some(Step::open(store, cache, &self.stream, self.command.clone()).await?);
        Ok(())
    }

    fn decide(
        &mut self,
        store: &dyn EventStore,
        keyed: Option<&KeyedCommand>,
        options: &Options,
    ) -> Result<Outcome, EncodeError> {
        let (decision, version, confirmed) = self.step().decide(store, keyed, options)?;
        let kind = match decision {
            Decision::Append { append, events } => {
                self.events = events;
                Kind::Append(append)
            }
            Decision::Nothing => Kind::Nothing,
            Decision::Refused(refusal) => Kind::Refused(ErasedRefusal::new(&refusal)),
            Decision::Precondition => Kind::Precondition,
            Decision::Replay(first) => Kind::Replay(first),
            Decision::KeyReused(first) => Kind::KeyReused(first),
        };
        Ok(Outcome { kind, version, confirmed })
    }

    async fn confirm(&mut self, store: &dyn EventStore) -> Result<(), FoldError> {
        self.step().confirm(store).await
    }

    async fn catch_up(&mut self, store: &dyn EventStore, conflict: &Conflict) -> Result<(), FoldError> {
        self.step().catch_up(store, conflict).await
    }

    fn advance(&self, commit: &Commit) {
        if commit.stream == self.stream
            && let Some(step) = &self.step
        {
            step.advance(commit, &self.events);
        }
    }
}
