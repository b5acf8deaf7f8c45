//! The operations of the Kinesis API: what a request asks, inside of one transaction.

pub(crate) mod consumers;
pub(crate) mod count;
pub(crate) mod describe;
pub(crate) mod listing;
pub(crate) mod put;
pub(crate) mod read;
pub(crate) mod reshard;
pub(crate) mod retention;
pub(crate) mod streams;
pub(crate) mod tags;
