//! What can be seen of a running server from outside: metrics, and lines of the log that belong to one request.
//!
//! - `metrics.rs`: the metrics of the process, in the form that Prometheus reads,
//! - `vitals.rs`: what is looked up when they are asked for,
//! - `requests.rs`: the layer around each request: its id, its lines in the log, how long it took; `meters.rs`: its metrics,
//! - `otlp.rs`: traces for a collector (feature `otlp`), bounded and counted by `queue.rs`, sent by `collector.rs`;
//!   without it `no_otlp.rs` stands there.

#[cfg(feature = "otlp")]
mod collector;
mod meters;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "no_otlp.rs"]
mod otlp;
#[cfg(feature = "otlp")]
mod queue;
mod requests;
mod vitals;

pub(crate) use meters::Meters;
pub(crate) use metrics::Metrics;
pub(crate) use otlp::Traces;
pub(crate) use requests::observe;
pub(crate) use vitals::{Vitals, describe};
