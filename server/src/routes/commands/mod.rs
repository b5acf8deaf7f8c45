//! Commands: one, or many at once, each on its own.

mod answer;
mod batch;
mod one;
mod operations;
mod run;

pub use answer::{batch_response, executed_response};
pub(super) use operations::operations;
