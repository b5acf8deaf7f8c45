//! An old payload that nothing turns into today's event.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent {
    #[event(version = 2, from = OpenedV1)]
    Opened,
}

#[derive(Deserialize, headwater::JsonSchema)]
struct OpenedV1 {}

fn main() {}
