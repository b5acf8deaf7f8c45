//! Values of another kind than the key has.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(name = opened)]
    Opened,
    #[event(version = "2", from = OpenedV1)]
    Closed,
    #[event(was)]
    Moved,
    #[event(from)]
    Locked,
}

fn main() {}
