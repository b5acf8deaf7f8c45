//! An aggregate with a type parameter.

use headwater::Aggregate;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "door")]
struct Door<T> {
    open: T,
}

fn main() {}
