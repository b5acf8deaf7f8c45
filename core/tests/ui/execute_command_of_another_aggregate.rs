//! A command sent to the id of another aggregate.

use headwater::{Aggregate, Command, Decider, Event, Executor, Id};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened,
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    Open,
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum WindowCommand {
    Open,
}

#[derive(Debug, thiserror::Error, Serialize)]
#[error("never")]
struct Never;

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "door")]
struct Door;

impl Decider for Door {
    type Event = DoorEvent;
    type Command = DoorCommand;
    type Refusal = Never;

    fn decide(&self, _: DoorCommand) -> Result<Vec<DoorEvent>, Never> {
        Ok(Vec::new())
    }

    fn apply(&mut self, _: &DoorEvent) {}
}

async fn open(executor: &Executor, door: &Id<Door>) {
    let _ = executor.execute(door, WindowCommand::Open).await;
}

fn main() {}
