//! Aggregates without their types: what the routes call.

use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use headwater::execute::{Fold, Preview};
use headwater::schema::{EventSchema, SchemaLock};
use headwater::{Aggregate, Command, Commit, Event, Executor, Id, Options, Timestamp, Version};

use crate::openapi::Category;
use crate::prepare::{Prepare, Preparing};
use crate::{Problem, ProblemKind, Services};

/// A command that was carried out, without its types.
pub(crate) struct Answer {
    pub(crate) version: Version,
    pub(crate) commit: Option<Arc<Commit>>,
    pub(crate) replayed: bool,
    pub(crate) created: bool,
}

/// A command as it came.
pub(crate) struct Asked<'a> {
    pub(crate) id: &'a str,
    pub(crate) command: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) options: &'a Options,
}

/// Which state is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    Head,
    Version(Version),
    Time(Timestamp),
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
    async fn execute(&self, services: &Services, asked: &Asked<'_>) -> Result<Answer, Problem>;

    /// Reads a command by name and says what it would do.
    async fn preview(&self, services: &Services, asked: &Asked<'_>) -> Result<Preview, Problem>;

    /// The folded state as JSON, at its head or at an earlier moment.
    async fn state(&self, executor: &Executor, id: &str, at: At) -> Result<(Version, String), Problem>;

    /// The version of its snapshots, if it has any.
    fn snapshots(&self) -> Option<u32>;

    /// What can be asked of it, and what can happen to it.
    fn describe(&self) -> Category;
}

/// An aggregate type as a value.
pub(crate) struct Served<A: Aggregate> {
    prepare: Option<Prepare<A>>,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Served<A> {
    pub(crate) fn new(prepare: Option<Prepare<A>>) -> Self {
        Self { prepare, aggregate: PhantomData }
    }

    /// The command, after what it says of the version it expects was looked at.
    fn command(asked: &Asked<'_>) -> Result<(Id<A>, A::Command), Problem> {
        let id = Id::<A>::new(asked.id)?;
        let command = A::Command::decode(asked.command, asked.data)?;
        let blind = asked.options.expected == headwater::Expected::Any;
        if blind && A::Command::NEEDS_VERSION.contains(&asked.command) {
            let detail = format!(
                "command {} of {} must say which version it expects: send If-Match: \"42\", or If-None-Match: * for a \
                 stream that must be new",
                asked.command,
                A::CATEGORY
            );
            return Err(Problem::new(ProblemKind::PreconditionRequired, detail));
        }
        Ok((id, command))
    }

    /// The command with what the application fills in, or what an earlier one under its key did.
    async fn prepared(
        &self,
        services: &Services,
        id: &Id<A>,
        command: A::Command,
        options: &mut Options,
    ) -> Result<Result<A::Command, Answer>, Problem> {
        let Some(prepare) = &self.prepare else { return Ok(Ok(command)) };
        if options.key.is_some() {
            let earlier = services.executor.repeated(id, &command, options).await;
            if let Some(executed) = earlier.map_err(Problem::of)? {
                return Ok(Err(executed.into()));
            }
            // A repeat is told by what the client sent, not by what is filled in.
            let fingerprint = command.fingerprint();
            let fingerprint =
                fingerprint.map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))?;
            options.fingerprint = Some(fingerprint);
        }
        let (id, metadata) = (id.clone(), options.metadata.clone());
        prepare(Preparing { services: services.clone(), id, command, metadata }).await.map(Ok)
    }
}

impl<E> From<headwater::Executed<E>> for Answer {
    fn from(executed: headwater::Executed<E>) -> Self {
        let created = executed.created();
        Self { version: executed.version, commit: executed.commit, replayed: executed.replayed, created }
    }
}

/// Runs code of the application; a panic becomes a problem, and the connection lives on.
pub(crate) async fn caught<T>(
    what: impl FnOnce() -> String + Send,
    work: impl Future<Output = Result<T, Problem>> + Send,
) -> Result<T, Problem> {
    // What a panic may have torn is thrown away by the executor.
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let what = what();
        let text = panic.downcast_ref::<&'static str>().copied();
        let text =
            text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        tracing::error!(what, panic = text, "code panicked");
        // The text stays in the log: it may hold data that the client must not see.
        Err(Problem::new(ProblemKind::Internal, format!("{what} panicked; the log of the server says where")))
    })
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

    async fn execute(&self, services: &Services, asked: &Asked<'_>) -> Result<Answer, Problem> {
        let work = async {
            let (id, command) = Self::command(asked)?;
            let mut options = asked.options.clone();
            let command = match self.prepared(services, &id, command, &mut options).await? {
                Ok(command) => command,
                Err(earlier) => return Ok(earlier),
            };
            let executed = services.executor.execute_with(&id, command, &options).await;
            Ok(executed.map_err(Problem::of)?.into())
        };
        caught(|| format!("command {} of {}", asked.command, A::CATEGORY), work).await
    }

    async fn preview(&self, services: &Services, asked: &Asked<'_>) -> Result<Preview, Problem> {
        let work = async {
            let (id, command) = Self::command(asked)?;
            let mut options = asked.options.clone();
            let command = match self.prepared(services, &id, command, &mut options).await? {
                Ok(command) => command,
                // The executor finds it again, with its events.
                Err(_) => Self::command(asked)?.1,
            };
            let preview = services.executor.preview(&id, command, &options).await;
            preview.map_err(Problem::of)
        };
        caught(|| format!("command {} of {}", asked.command, A::CATEGORY), work).await
    }

    async fn state(&self, executor: &Executor, id: &str, at: At) -> Result<(Version, String), Problem> {
        let work = async {
            let id = Id::<A>::new(id)?;
            let store = &**executor.store();
            let fold: Result<Fold<A>, headwater::ExecuteError<A::Refusal>> = match at {
                At::Head => executor.state(&id).await,
                At::Version(version) => Fold::at(store, id.stream(), version).await.map_err(Into::into),
                At::Time(time) => Fold::at_time(store, id.stream(), time).await.map_err(Into::into),
            };
            let fold = fold.map_err(Problem::of)?;
            let state = serde_json::to_string(&fold.state)
                .map_err(|error| Problem::new(ProblemKind::Unreadable, error.to_string()))?;
            Ok((fold.version, state))
        };
        caught(|| format!("the state of {}", A::CATEGORY), work).await
    }

    fn snapshots(&self) -> Option<u32> {
        A::SNAPSHOT.map(|policy| policy.version)
    }

    fn describe(&self) -> Category {
        Category {
            name: A::CATEGORY,
            commands: A::Command::schemas(),
            needs_version: A::Command::NEEDS_VERSION,
            events: A::Event::schemas(),
            snapshots: A::SNAPSHOT,
        }
    }
}
