//! The routes under `/v1`, one file or folder per resource. Each folder lists its operations, with what describes them.

mod admin;
mod admin_config;
mod commands;
mod docs;
mod envelope;
mod feed;
mod frames;
mod health;
mod metrics;
mod read_models;
mod router;
mod streams;

pub use commands::{batch_response, executed_response};
pub use router::MAX_BODY_BYTES;

pub(crate) use router::{of_worker, operations, router};

use feed::LAST_EVENT_ID;
