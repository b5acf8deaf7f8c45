//! Fields of a row as attributes, and back to the same JSON.

mod attributes;
mod decimal;
mod json;
mod size;

pub(super) use attributes::{Fields, NotJson, whole};
pub(super) use json::read;
pub(super) use size::size_bytes;
