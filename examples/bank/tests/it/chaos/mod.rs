//! The real binary in several processes over look-alikes behind a proxy that cuts, delays and loses answers, with processes
//! that are killed, stopped and out of disk; clients write down every answer, and in the end the answers are checked
//! against the ledger.
//!
//! `HEADWATER_SECONDS=n` makes the storm as long.

mod clients;
mod history;
mod proxy;
mod tests;
