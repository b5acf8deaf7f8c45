//! Errors of object stores.

use headwater::store::Source;

/// Why an object could not be listed, looked at, read or put.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// There is no such object.
    #[error("there is no object {key}")]
    Missing {
        /// Its key.
        key: String,
    },
    /// The store cannot be reached, refuses, or its answer was lost.
    #[error("the archive is unavailable while trying to {attempted}")]
    Unavailable {
        /// What was tried.
        attempted: String,
        /// Why.
        source: Source,
    },
}
