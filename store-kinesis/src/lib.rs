//! The Kinesis store of Headwater: DynamoDB decides, Kinesis distributes.
//!
//! Kinesis has no conditional append, no read by key and forgets after a year at most, so it cannot be the ledger. The
//! [`ledger`] is a DynamoDB table; a commit is one conditional write of one item.
#![doc = include_str!("../README.md")]

pub mod ledger;
pub mod settings;

pub use ledger::{Config, Ledger};
pub use settings::Settings;
