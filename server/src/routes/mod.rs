//! The routes under `/v1`, one file per resource.

mod admin_config;
mod commands;
mod events;
mod health;
mod metrics;
mod read_models;
mod router;
mod streams;

pub use commands::batch_response;
pub use router::MAX_BODY_BYTES;

pub(crate) use router::{probes, router};
