//! Fields without names.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    Opened(String),
    Moved(u8, u8),
}

fn main() {}
