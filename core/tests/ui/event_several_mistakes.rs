//! All mistakes are reported at once.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened(String),
    #[event(version = 2)]
    Closed,
    #[event(colour = "red")]
    Painted,
}

fn main() {}
