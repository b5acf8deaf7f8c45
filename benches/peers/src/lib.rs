//! Other libraries on the workload of `headwater-workload`, and the least code that does it by hand.

pub mod by_cqrs_es;
pub mod by_eventually;
pub mod by_hand;
mod domain;
mod rows;

pub use domain::{Account, Event, Refusal};
