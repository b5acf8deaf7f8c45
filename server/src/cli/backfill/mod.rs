//! `backfill` and `projections`: read models built anew, promoted, gone back to and dropped.
//!
//! Both work beside a running server, on the same tables: those of a `dev` of this machine with `--dev`, else those of
//! AWS.

mod arguments;
mod inspect;
mod run;
mod show;
mod switch;

pub(super) use arguments::{command, switches};
pub(super) use inspect::{command as verify_command, run as verify};
pub(super) use run::run;
pub(super) use switch::run as switch;
