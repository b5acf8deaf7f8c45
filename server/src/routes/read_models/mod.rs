//! Read models: which there are, their rows by key, and their rows by declared indexes.

mod catalogue;
mod list;
mod operations;
mod row;

pub(super) use operations::operations;
