//! Commands with a type parameter.

use headwater::Command;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum DoorCommand<T> {
    Open { by: T },
}

fn main() {}
