//! Fields without names.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    Open(String),
}

fn main() {}
