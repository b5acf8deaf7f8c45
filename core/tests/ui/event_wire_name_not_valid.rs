//! A name that could not stand in a URL or name a file.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(name = "door/opened")]
    Opened,
    #[event(was = "")]
    Closed,
}

fn main() {}
