//! What can be seen of a running server from outside: metrics, and lines of the log that belong to one request.
//!
//! - `metrics.rs`: the metrics of the process, in the form that Prometheus reads,
//! - `vitals.rs`: what is looked up when they are asked for,
//! - `requests.rs`: the layer around each request: its id, its lines in the log, how long it took.

mod metrics;
mod requests;
mod vitals;

pub(crate) use metrics::Metrics;
pub(crate) use requests::observe;
pub(crate) use vitals::{Vitals, describe};
