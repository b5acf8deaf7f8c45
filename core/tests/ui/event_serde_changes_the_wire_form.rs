//! What serde would change about the stored form, on the enum and on variants.

use headwater::Event;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
enum DoorEvent {
    #[serde(rename = "opened", alias = "begun")]
    Opened,
    #[serde(skip)]
    Closed,
    #[serde(other)]
    Moved,
}

fn main() {}
