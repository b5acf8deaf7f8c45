//! An attribute that is no list.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event]
    Opened,
    #[event = "Shut"]
    Closed,
}

fn main() {}
