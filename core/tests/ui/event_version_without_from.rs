//! A raised version without the payloads before.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(version = 2)]
    Opened,
    #[event(version = 3)]
    Closed,
}

fn main() {}
