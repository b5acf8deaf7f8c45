//! What a command would do: decided like any other, and not appended.

use super::decide::Decision;
use super::executor::keyed;
use super::step::Step;
use super::{ExecuteError, Executed, Executor, Options};
use crate::key::Seen;
use crate::{Aggregate, EventData, Id, Version};

/// What a command would make happen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Preview {
    /// The version of the stream it was decided on, confirmed to be its head.
    pub version: Version,
    /// The events it would append; none, if it would have no effect.
    pub events: Vec<EventData>,
    /// Whether a command under its key was carried out before. The events are then those of that command.
    pub replayed: bool,
}

impl Executor {
    /// What an earlier command under the same key did, if there was one. For whoever has to do something before a command
    /// is decided that a repeat should not do again.
    ///
    /// # Errors
    /// As [`execute_with`](Self::execute_with); [`ExecuteError::KeyReused`] when that was another command.
    ///
    /// # Cost
    /// One page when the state is not cached, which it is afterwards. That there was none is confirmed against the head of
    /// the stream: one page more, unless the state was just read and the store has no stale reads. An earlier command
    /// costs one page to read what it did. Nothing without a key.
    pub async fn repeated<A: Aggregate>(
        &self,
        id: &Id<A>,
        command: &A::Command,
        options: &Options,
    ) -> Result<Option<Executed<A::Event>>, ExecuteError<A::Refusal>> {
        let Some(keyed) = keyed(command, options)? else { return Ok(None) };
        let store = &*self.store;
        let mut step = Step::<A>::open(store, &self.cache, id.stream(), command.clone()).await?;
        let stream = id.stream().clone();
        loop {
            match step.seen(&keyed) {
                (Seen::New, true) => return Ok(None),
                // Another process may have carried it out since.
                (Seen::New, false) => {
                    step.confirm(store).await.inspect_err(|_| self.cache.remove(&stream))?
                }
                (Seen::Same(first), _) => return self.replay::<A>(stream, first).await.map(Some),
                (Seen::Other(first), _) => {
                    return Err(ExecuteError::KeyReused { key: keyed.key, stream, first });
                }
            }
        }
    }

    /// Decides a command on the head of its stream and appends nothing.
    ///
    /// # Errors
    /// As [`execute_with`](Self::execute_with), but for what only an append can meet.
    ///
    /// # Cost
    /// One page to confirm the state, and one more when it is not cached.
    pub async fn preview<A: Aggregate>(
        &self,
        id: &Id<A>,
        command: A::Command,
        options: &Options,
    ) -> Result<Preview, ExecuteError<A::Refusal>> {
        let keyed = keyed(&command, options)?;
        let store = &*self.store;
        let mut step = Step::<A>::open(store, &self.cache, id.stream(), command).await?;
        let (decision, version) = loop {
            step.confirm(store).await.inspect_err(|_| self.cache.remove(id.stream()))?;
            // A state that somebody tore since then is an empty one.
            if let (decision, version, true) = step.decide(store, keyed.as_ref(), options)? {
                break (decision, version);
            }
        };
        let stream = id.stream().clone();
        match decision {
            Decision::Append { append, .. } => {
                append.check(&store.capabilities()).map_err(crate::store::StoreError::from)?;
                Ok(Preview { version, events: append.events, replayed: false })
            }
            Decision::Nothing => Ok(Preview { version, events: Vec::new(), replayed: false }),
            Decision::Refused(refusal) => Err(ExecuteError::Refused { refusal, version }),
            Decision::Precondition => Err(self.precondition(stream, options.expected, version).await),
            Decision::Replay(first) => {
                let events =
                    self.replay::<A>(stream, first).await?.commit.map(|commit| commit.events.clone());
                Ok(Preview { version, events: events.unwrap_or_default(), replayed: true })
            }
            Decision::KeyReused(first) => {
                let key = keyed.map(|keyed| keyed.key).expect("only a keyed command meets its key again");
                Err(ExecuteError::KeyReused { key, stream, first })
            }
        }
    }
}
