//! Rows and leases of Headwater's projections in DynamoDB.
//!
#![doc = include_str!("../README.md")]

pub mod leases;
pub mod rows;

pub use leases::DynamoLeases;
pub use rows::DynamoRows;
