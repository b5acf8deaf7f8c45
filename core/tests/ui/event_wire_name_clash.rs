//! Two events under one name.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened,
    #[event(name = "Opened")]
    Unlocked,
    #[event(was = "Opened")]
    Ajar,
}

fn main() {}
