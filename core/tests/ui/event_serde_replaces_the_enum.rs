//! Another type in place of the enum, and a function in place of a variant.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[serde(from = "Wire", into = "Wire")]
enum DoorEvent {
    #[serde(deserialize_with = "elsewhere")]
    Opened,
}

#[derive(Serialize, Deserialize)]
struct Wire;

impl From<Wire> for DoorEvent {
    fn from(_: Wire) -> Self {
        Self::Opened
    }
}

impl From<DoorEvent> for Wire {
    fn from(_: DoorEvent) -> Self {
        Self
    }
}

fn main() {}
