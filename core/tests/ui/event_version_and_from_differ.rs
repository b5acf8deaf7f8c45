//! More or fewer old payloads than versions before.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(version = 3, from = OpenedV1)]
    Opened,
    #[event(version = 1, from = OpenedV1)]
    Closed,
    #[event(version = 2, from(OpenedV1, OpenedV1))]
    Moved,
}

#[derive(Deserialize, headwater::JsonSchema)]
struct OpenedV1 {}

impl From<OpenedV1> for DoorEvent {
    fn from(_: OpenedV1) -> Self {
        Self::Closed
    }
}

fn main() {}
