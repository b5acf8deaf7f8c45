//! The rules by which each worker decides what is its own to do. Pure: no clock, no I/O, no async.

mod catch_up;
mod cover;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use catch_up::CatchingUp;
pub(crate) use rules::{Action, Held, Plan, View, plan};
