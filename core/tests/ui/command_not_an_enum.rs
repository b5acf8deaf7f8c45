//! Commands as a struct.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
struct DoorCommand {
    by: String,
}

fn main() {}
