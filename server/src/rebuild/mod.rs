//! Read models built anew: by the command `backfill`, and by the processes that keep read models, when they are asked
//! over HTTP.
//!
//! - `prepare.rs`: what both work with,
//! - `again.rs`: the command that goes on with one,
//! - `carry_out.rs`: a server that carries out what it, or another one, was asked for.

mod again;
mod carry_out;
mod prepare;

pub(crate) use again::command;
pub(crate) use carry_out::Rebuilds;
pub(crate) use prepare::{Ground, RebuildError, stores, target};
