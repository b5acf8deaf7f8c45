//! Aggregates without their types: what the routes call.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::execute::{ErasedRefusal, Fold};
use headwater::schema::{EventSchema, SchemaLock};
use headwater::{Aggregate, Command, Commit, Event, Executor, Id, Options, Version};

use crate::Problem;

/// A command that was carried out, without its types.
pub(crate) struct Answer {
    pub(crate) version: Version,
    pub(crate) commit: Option<Arc<Commit>>,
    pub(crate) replayed: bool,
    pub(crate) created: bool,
}

/// An aggregate the server answers for.
#[async_trait]
pub(crate) trait ServedAggregate: Send + Sync {
    /// The names of its commands.
    fn commands(&self) -> &'static [&'static str];

    /// The schemas of its events.
    fn event_schemas(&self) -> Vec<EventSchema>;

    /// The lock with its events.
    fn lock(&self, lock: SchemaLock) -> SchemaLock;

    /// Reads a command by name and carries it out.
    async fn execute(
        &self,
        executor: &Executor,
        id: &str,
        command: &str,
        data: &[u8],
        options: &Options,
    ) -> Result<Answer, Problem>;

    /// The folded state as JSON, at its head or at an earlier version.
    async fn state(
        &self,
        executor: &Executor,
        id: &str,
        version: Option<Version>,
    ) -> Result<(Version, String), Problem>;
}

/// An aggregate type as a value.
pub(crate) struct Served<A>(PhantomData<fn() -> A>);

impl<A> Served<A> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

#[async_trait]
impl<A: Aggregate> ServedAggregate for Served<A> {
    fn commands(&self) -> &'static [&'static str] {
        A::Command::NAMES
    }

    fn event_schemas(&self) -> Vec<EventSchema> {
        A::Event::schemas()
    }

    fn lock(&self, lock: SchemaLock) -> SchemaLock {
        lock.aggregate::<A>()
    }

    async fn execute(
        &self,
        executor: &Executor,
        id: &str,
        command: &str,
        data: &[u8],
        options: &Options,
    ) -> Result<Answer, Problem> {
        let id = Id::<A>::new(id)?;
        let command = A::Command::decode(command, data)?;
        let executed = executor.execute_with(&id, command, options).await;
        let executed = executed.map_err(|e| e.map_refusal(|refusal| ErasedRefusal::new(&refusal)))?;
        let created = executed.created();
        Ok(Answer {
            version: executed.version,
            commit: executed.commit,
            replayed: executed.replayed,
            created,
        })
    }

    async fn state(
        &self,
        executor: &Executor,
        id: &str,
        version: Option<Version>,
    ) -> Result<(Version, String), Problem> {
        let id = Id::<A>::new(id)?;
        let fold = match version {
            None => executor.state(&id).await,
            Some(version) => Fold::at(&**executor.store(), id.stream(), version)
                .await
                .map_err(headwater::ExecuteError::from),
        };
        let fold: Fold<A> = fold.map_err(|e| e.map_refusal(|refusal| ErasedRefusal::new(&refusal)))?;
        let state = serde_json::to_string(&fold.state)
            .map_err(|error| Problem::new(crate::ProblemKind::Unreadable, error.to_string()))?;
        Ok((fold.version, state))
    }
}
