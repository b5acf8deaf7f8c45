//! An enum without commands.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand {}

fn main() {}
