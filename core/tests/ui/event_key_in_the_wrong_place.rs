//! Keys of a variant on the enum, and the other way round.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[event(version = 2)]
enum DoorEvent {
    #[event(retired(name = "Moved", version = 1, from = MovedV1))]
    Opened,
}

fn main() {}
