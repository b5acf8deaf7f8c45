//! The protocols as state machines, small enough to be searched to the end.
//!
//! Each module is one protocol, written after the code it stands for and named there. Time is not in it: whatever may
//! happen at some time may happen at any time, so two owners live at once, answers come late or never, and what was sent
//! arrives after its sender is dead. Where the code leans on time, the model says so in so many words.
//!
//! Each has an enum of mutations: the rules, each of them broken. `proof/tests/it/model.rs` demands that the model as it
//! is keeps every property and that each mutation breaks the one named beside it.

pub mod append;
pub mod archive;
pub mod execute;
pub mod mending;
pub mod outbox;
pub mod projection;
mod search;
pub mod switch;

pub use search::{Found, Size, search, search_for};
