//! From events back to the commits they came in.

use std::borrow::Cow;

use bytes::Bytes;
use headwater::key::{CommandKey, Fingerprint, KeyedCommand};
use headwater::{Commit, EventData, Metadata, StreamName};

use crate::{ArchivedEvent, Rest};

/// Puts events together. Those of a commit follow each other in one row group.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// Those that are whole.
    pub(crate) whole: Vec<Commit>,
    /// The one whose events are coming, and how many there will be.
    begun: Option<(Commit, u32)>,
}

impl Commits {
    /// Adds the next event; the reason when it cannot be the next one.
    pub(crate) fn add(&mut self, event: &ArchivedEvent<'_>) -> Result<(), String> {
        let Some(rest) = &event.rest else { return Err("not all of its columns were read".to_owned()) };
        let (mut commit, events) = match self.begun.take() {
            None if event.index == 0 => (begin(event, rest)?, rest.commit_events),
            Some((commit, events))
                if commit.id == event.commit && commit.events.len() == event.index as usize =>
            {
                (commit, events)
            }
            _ => {
                return Err(format!(
                    "event {} of commit {} does not follow the one before it",
                    event.index, event.commit
                ));
            }
        };
        commit.events.push(EventData {
            name: Cow::Owned(event.name.to_owned()),
            schema: event.schema,
            payload: Bytes::copy_from_slice(event.payload),
        });
        match commit.events.len() as u64 == u64::from(events) {
            true => self.whole.push(commit),
            false => self.begun = Some((commit, events)),
        }
        Ok(())
    }

    /// The commits, when no event is missing of the last one.
    pub(crate) fn finish(self) -> Result<Vec<Commit>, String> {
        match self.begun {
            None => Ok(self.whole),
            Some((commit, events)) => Err(format!(
                "commit {} has {events} events, and {} are there",
                commit.id,
                commit.events.len()
            )),
        }
    }
}

fn begin(event: &ArchivedEvent<'_>, rest: &Rest<'_>) -> Result<Commit, String> {
    let metadata = match event.metadata {
        b"" => Metadata::default(),
        json => serde_json::from_slice(json)
            .map_err(|error| format!("the metadata of {}: {error}", event.commit))?,
    };
    let command = rest.command.map(|(key, fingerprint)| {
        let key = CommandKey::new(key).map_err(|error| error.to_string())?;
        Ok::<_, String>(KeyedCommand { key, fingerprint: Fingerprint(fingerprint) })
    });
    Ok(Commit {
        stream: StreamName::new(event.category, event.id).map_err(|error| error.to_string())?,
        first: event.version,
        id: event.commit,
        recorded_at: event.recorded_at,
        metadata,
        command: command.transpose()?,
        events: Vec::with_capacity(rest.commit_events.min(1_024) as usize),
        snapshot: None,
    })
}
