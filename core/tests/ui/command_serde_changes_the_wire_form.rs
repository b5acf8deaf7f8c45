//! What serde would change about the form on the wire.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
#[serde(untagged)]
enum DoorCommand {
    #[serde(rename = "open", alias = "unlock")]
    Open,
}

fn main() {}
