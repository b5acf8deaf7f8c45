//! A category that breaks the rules of stream names.

use headwater::{Aggregate, Command, Decider, Event};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "Front_Door")]
struct Door {
    open: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    Open,
}

#[derive(Debug, Serialize)]
struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Never {}

impl Decider for Door {
    type Event = DoorEvent;
    type Command = DoorCommand;
    type Refusal = Never;

    fn decide(&self, _: DoorCommand) -> Result<Vec<DoorEvent>, Never> {
        Ok(Vec::new())
    }

    fn apply(&mut self, _: &DoorEvent) {}
}

fn main() {}
