//! Leases in DynamoDB: one table for all groups of a prefix, one item for each worker and each lease.

mod item;
pub mod limits;
mod store;

pub use store::DynamoLeases;
