//! Carrying out a command that has come over HTTP, alone or among others.

use headwater::{Options, StreamName};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{Applied, Done};
use crate::aggregates::{Answer, Asked};
use crate::consistency::{Prefer, applied};
use crate::routes::envelope::Envelope;
use crate::{Problem, Services};

/// How commands are to be carried out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Decide, and append nothing.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// A command with the stream it is for.
pub(super) struct Command<'a> {
    pub(super) stream: &'a StreamName,
    pub(super) name: &'a str,
    pub(super) data: &'a [u8],
    pub(super) options: &'a Options,
}

impl Command<'_> {
    fn asked(&self) -> Asked<'_> {
        Asked { id: self.stream.id(), command: self.name, data: self.data, options: self.options }
    }

    /// Carries it out.
    pub(super) async fn run(&self, services: &Services) -> Result<Answer, Problem> {
        let aggregate = services.aggregate(self.stream.category())?;
        let answer = aggregate.execute(services, &self.asked()).await;
        let keyed = self.options.key.is_some();
        let answer = answer.map_err(|problem| if keyed { problem } else { problem.without_key() })?;
        if let Some(commit) = answer.commit.as_ref().filter(|_| !answer.replayed) {
            tracing::debug!(commit = %commit.id, version = answer.version.0, command = self.name, "carried out");
        }
        Ok(answer)
    }

    /// Says what it would do.
    pub(super) async fn preview(&self, services: &Services) -> Result<Done, Problem> {
        let aggregate = services.aggregate(self.stream.category())?;
        let preview = aggregate.preview(services, &self.asked()).await?;
        let mut version = preview.version;
        let mut events = Vec::with_capacity(preview.events.len());
        for event in &preview.events {
            version = version.next();
            events.push(Envelope::of_preview(self.stream, version, event)?);
        }
        let (stream, consistency) = (self.stream.to_string(), Default::default());
        Ok(Done { stream, version: version.0, events, dry_run: true, consistency })
    }
}

/// Refuses read models that will never have what a command writes, before it is carried out.
pub(super) fn check_wanted(services: &Services, stream: &StreamName, prefer: &Prefer) -> Result<(), Problem> {
    for name in &prefer.applied {
        if !services.read_models.reads(name, stream.category())? {
            let category = stream.category();
            let detail =
                format!("read model {name} does not read {category}, so it will never have applied this");
            return Err(Problem::invalid(detail));
        }
    }
    Ok(())
}

/// Waits for the read models that the client prefers to have applied it. The command is done in any case.
pub(super) async fn wait(
    services: &Services,
    stream: &StreamName,
    answer: &Answer,
    prefer: &Prefer,
    done: &mut Done,
) {
    let names = prefer.applied.iter();
    let waits = names.map(|name| applied(services, name, stream, answer.version, prefer.wait));
    let reached = futures::future::join_all(waits).await;
    for (name, reached) in prefer.applied.iter().zip(reached) {
        let applied = if reached { Applied::Applied } else { Applied::Pending };
        done.consistency.insert(name.clone(), applied);
    }
}
