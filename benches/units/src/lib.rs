//! Requests and capacity units of any client of DynamoDB, table by table, as the service itself reports them.
//!
//! The client need not know: every request is made to ask for its capacity.

mod counter;

pub use counter::{Counter, Counts, Used};
