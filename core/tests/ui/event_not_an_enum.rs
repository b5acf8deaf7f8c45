//! Events as a struct.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct DoorEvent {
    by: String,
}

fn main() {}
