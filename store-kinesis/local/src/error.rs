//! Why the local services did not start.

use std::{io, path::PathBuf};

/// Why the local services did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// Another process, or another start in this one, uses the directory.
    #[error("the directory {} is in use: stop the other process, or choose another directory", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory cannot be made, locked or written.
    #[error("the directory {} cannot be used", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A service cannot listen on its port.
    #[error("{service} cannot listen on port {port} of 127.0.0.1: choose another port, or 0 for a free one")]
    Port {
        /// The service.
        service: &'static str,
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A service cannot open what it kept.
    #[error("{service} cannot open its data: {reason}")]
    Data {
        /// The service.
        service: &'static str,
        /// What it said.
        reason: String,
    },
    /// The system gives no more threads.
    #[error("{service} cannot start a thread")]
    Thread {
        /// The service.
        service: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
