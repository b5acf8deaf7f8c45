//! A misspelt key on a variant, another on the enum.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[event(rename = "door")]
enum DoorEvent {
    #[event(nam = "opened")]
    Opened,
}

fn main() {}
