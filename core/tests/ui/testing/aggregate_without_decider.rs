//! The derive without the rules.

use headwater::Aggregate;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "door")]
struct Door {
    open: bool,
}

fn main() {}
