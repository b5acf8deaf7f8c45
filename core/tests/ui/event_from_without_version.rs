//! An old payload without the version it led to.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(from = OpenedV1)]
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
