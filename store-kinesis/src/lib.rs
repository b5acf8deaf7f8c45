//! The Kinesis store of Headwater: DynamoDB decides, Kinesis distributes.
//!
//! Kinesis has no conditional append, no read by key and forgets after a year at most, so it cannot be the ledger. The
//! [`ledger`] is a DynamoDB table; a commit is one conditional write of one item. The [`outbox`] sees to it that every
//! commit is handed to the [`publisher`] and from there reaches Kinesis, whatever dies when, and the [`feed`] reads it.
#![doc = include_str!("../README.md")]

mod config;
pub mod feed;
pub mod infra;
pub mod ledger;
pub mod outbox;
pub mod publisher;
pub mod record;
mod store;

pub use config::{Config, Delivery, Shards};
pub use store::{Clients, KinesisStore};
