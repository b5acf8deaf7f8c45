//! Keys that commands do not have.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
#[command(name = "door")]
enum DoorCommand {
    #[command(version = 2)]
    Open,
}

fn main() {}
