//! A retired type without all it needs.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[event(retired)]
#[event(retired(name = "Moved"))]
#[event(retired(name = "Moved", version = 1, from(OpenedV1, OpenedV1)))]
#[event(retired(name = "Moved", version = 1, from = OpenedV1, into = DoorEvent))]
enum DoorEvent {
    Opened,
    Closed,
}

#[derive(Deserialize, headwater::JsonSchema)]
struct OpenedV1 {}

impl From<OpenedV1> for DoorEvent {
    fn from(_: OpenedV1) -> Self {
        Self::Closed
    }
}

fn main() {}
