//! The limits of a server. Each is a setting of the section `limits`; reaching one refuses, nothing is queued.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Connections at once; one more is told so and closed.
    pub(crate) connections: usize,
    /// Requests under way at once; one more is refused as overloaded. A subscription counts until it has begun.
    pub(crate) requests: usize,
    /// How long a connection may take for the next request's line and headers, idle time included.
    pub(crate) header_seconds: u64,
    /// How long the body of a request may take.
    pub(crate) body_seconds: u64,
    /// How long a request may take from its body on. Waits for read models count.
    pub(crate) request_seconds: u64,
    /// How long a peer may take nothing of its answer before its connection is closed.
    pub(crate) stall_seconds: u64,
    /// Requests at once on one connection of HTTP/2.
    pub(crate) h2_streams: u32,
    /// How long the server goes on answering, and is not ready, after it was asked to stop: as long as load balancers
    /// take to notice.
    pub(crate) drain_seconds: u64,
    /// How long everything under way may take after that. Readers are told to end after three quarters of it at the
    /// latest.
    pub(crate) stop_seconds: u64,
    /// Most memory of a rebuild that is asked for over HTTP, in MiB.
    pub(crate) rebuild_memory_mib: u32,
}

/// Bytes of a request's line and headers, on HTTP/1 and HTTP/2.
pub(super) const HEADER_BYTES: usize = 64 * 1024;
/// Headers of a request.
pub(super) const HEADERS: usize = 100;
/// Refusals that are being said at once; a connection above that is closed without a word.
pub(super) const REFUSALS: usize = 64;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            requests: 512,
            header_seconds: 30,
            body_seconds: 20,
            request_seconds: 40,
            stall_seconds: 30,
            h2_streams: 128,
            drain_seconds: 0,
            stop_seconds: 30,
            rebuild_memory_mib: 256,
        }
    }
}

impl Limits {
    pub(super) fn header(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    pub(super) fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(super) fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    pub(super) fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_seconds)
    }

    pub(super) fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub(super) fn stop(&self) -> Duration {
        Duration::from_secs(self.stop_seconds)
    }

    /// Most memory of a rebuild, in bytes.
    pub(crate) fn rebuild_memory(&self) -> usize {
        usize::try_from(self.rebuild_memory_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20)
    }

    /// How much of that requests may take before read models end without them, so that leases are released in time.
    pub(super) fn requests_at_the_end(&self) -> Duration {
        self.stop() * 3 / 4
    }
}
