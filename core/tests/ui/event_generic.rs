//! Events with a type parameter.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum DoorEvent<T> {
    Opened { by: T },
}

fn main() {}
