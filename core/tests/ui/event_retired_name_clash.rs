//! A retired type under the name of a variant, and one retired twice.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[event(retired(name = "Opened", version = 1, from = OpenedV1))]
#[event(retired(name = "Moved", version = 1, from = OpenedV1))]
#[event(retired(name = "Moved", version = 1, from = OpenedV1))]
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
