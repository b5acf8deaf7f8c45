//! What stands for `otlp.rs` in a binary without that feature: no trace leaves it.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tracing::Span;
use tracing_subscriber::layer::Identity;

use crate::config::{ConfigError, Otlp};

/// The way of traces out of the process: there is none.
#[derive(Debug, Clone)]
pub(crate) struct Traces;

impl Traces {
    pub(crate) fn off() -> Self {
        Self
    }

    /// The setting was refused when it was read.
    pub(crate) fn start(_: &'static str, _: &Otlp) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    pub(crate) fn layer(&self) -> Identity {
        Identity::new()
    }

    pub(crate) async fn end(self, _: Duration) {}
}

pub(super) fn begin(_: &Span, _: &HeaderMap, _: &str, _: &str) {}

pub(super) fn finish(_: &Span, _: StatusCode, _: Option<&(&'static str, &'static str)>) {}
