//! An aggregate that asks for versions, is prepared, and panics; and a projection that cannot apply some of its events.

use std::sync::atomic::{AtomicU64, Ordering};

use headwater::{Aggregate, Command, Decider, Event, Projection, Recorded};
use headwater_projections::Project;
use headwater_server::{Preparing, Problem};
use serde::{Deserialize, Serialize};

/// How often a number was drawn.
pub(crate) static DRAWN: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
pub(crate) enum NoteEvent {
    Written { text: String },
    Erased,
    Rolled { number: u64 },
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
pub(crate) enum NoteCommand {
    Write {
        text: String,
    },
    #[command(needs_version)]
    Erase,
    /// Decided on a number that is drawn before.
    Roll {
        #[serde(default)]
        number: Option<u64>,
    },
    Explode,
}

#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoteRefusal {
    #[error("the note is empty")]
    Empty,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "note")]
pub(crate) struct Note {
    text: String,
    rolled: Vec<u64>,
}

impl Decider for Note {
    type Event = NoteEvent;
    type Command = NoteCommand;
    type Refusal = NoteRefusal;

    fn decide(&self, command: NoteCommand) -> Result<Vec<NoteEvent>, NoteRefusal> {
        match command {
            NoteCommand::Write { text } => Ok(vec![NoteEvent::Written { text }]),
            NoteCommand::Erase if self.text.is_empty() => Err(NoteRefusal::Empty),
            NoteCommand::Erase => Ok(vec![NoteEvent::Erased]),
            NoteCommand::Roll { number } => Ok(vec![NoteEvent::Rolled { number: number.unwrap() }]),
            NoteCommand::Explode => panic!("the rules explode"),
        }
    }

    fn apply(&mut self, event: &NoteEvent) {
        match event {
            NoteEvent::Written { text } => self.text.clone_from(text),
            NoteEvent::Erased => self.text.clear(),
            NoteEvent::Rolled { number } => self.rolled.push(*number),
        }
    }
}

/// Fills in a number that is another one every time.
pub(crate) async fn prepare(preparing: Preparing<Note>) -> Result<NoteCommand, Problem> {
    match preparing.command {
        NoteCommand::Roll { .. } if preparing.id.as_str() == "unlucky" => {
            Err(Problem::invalid("no number is to be had"))
        }
        NoteCommand::Roll { .. } => {
            Ok(NoteCommand::Roll { number: Some(DRAWN.fetch_add(1, Ordering::SeqCst)) })
        }
        other => Ok(other),
    }
}

/// A read model that cannot apply an erasure.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "sore", from(Note))]
pub(crate) struct Sore {
    events: u64,
}

impl Project<Note> for Sore {
    fn apply(&mut self, event: &Recorded<'_, NoteEvent>) {
        assert!(*event.event != NoteEvent::Erased, "this hurts");
        self.events += 1;
    }
}
