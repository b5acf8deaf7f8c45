//! Breaking the real code, one line at a time, and seeing which test notices.
//!
//! - `breakage.rs`: what a breakage is,
//! - `writing.rs`, `reading.rs`, `copies.rs`, `serving.rs`: the table: up to the ledger and the feed, from the feed to the
//!   rows, what is made out of all of it (generations and archive), and what a server promises,
//! - `run.rs`: applies each in a copy of the tree and runs the test that must fail.
//!
//! That every line of the table still stands in the code is a test, so the table cannot rot unseen.

mod breakage;
mod copies;
mod reading;
mod run;
mod serving;
mod writing;

pub(crate) use run::run;
