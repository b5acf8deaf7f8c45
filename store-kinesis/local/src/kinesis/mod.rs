//! Kinesis of the local mode: our own, on one SQLite file.
//!
//! One thread does every operation, in order. It allocates sequence numbers and stores the records in one
//! transaction, so a reader at the tip never passes a number whose record comes later.

mod database;
mod failure;
mod frame;
mod hash;
mod iterator;
mod operations;
mod schema;
mod sequence;
mod service;
mod shard;
mod stream;
mod subscription;
mod throttle;
mod wire;

pub(crate) use service::start;
