//! A name that is not text, and one that could not stand in a URL.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {
    #[command(name = 1)]
    Open,
    #[command(name = "close it")]
    Close,
}

fn main() {}
