//! The archive of an application: written by the processes that keep read models.

mod keep;
mod open;

pub(crate) use keep::keep;
pub(crate) use open::{archive, group};
