//! Two commands under one name.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    OpenWide,
    #[command(name = "open-wide")]
    Open,
}

fn main() {}
