//! Versions start at 1.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(version = 0)]
    Opened,
}

fn main() {}
