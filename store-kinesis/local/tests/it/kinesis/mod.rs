//! Kinesis of the local mode behaves like that of AWS.

mod errors;
mod iterators;
mod lifecycle;
mod limits;
mod listing;
mod looking;
mod order;
mod reshard;
pub(crate) mod stream;
mod subscription;
mod throttling;
