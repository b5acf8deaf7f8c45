//! One key twice.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(name = "A", name = "B")]
    Opened,
}

fn main() {}
