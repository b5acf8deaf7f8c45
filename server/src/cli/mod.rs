//! The command line of the user's binary: one file for each command. Data goes to standard output, all else to standard
//! error. What a command asks of a server, it asks over the `/v1` API, as anybody could.
//!
//! - `tree.rs`: which commands there are, `run.rs`: reading the line and doing what it says,
//! - `context.rs`: what a command works with, `error.rs`: how it fails, and with which exit code,
//! - `api.rs`: asking a server, `output.rs`: data as people or programs want it, `confirm.rs`: asking before harm is done.

mod api;
mod archive;
mod backfill;
mod command;
mod completions;
mod config;
mod confirm;
mod context;
mod describe;
mod dev;
mod doctor;
mod error;
mod events;
mod export;
mod import;
mod infra;
mod ledger;
mod new_key;
mod operations;
mod output;
mod parked;
mod projections;
mod run;
mod schema;
mod serve;
mod streams;
mod tree;

pub(crate) use api::{Api, segment};
pub(crate) use run::run;
