//! Refusals in the shape of AWS.

use serde_json::{Value, json};

/// Why an operation was refused: an exception of the Kinesis API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// An exception by its name in the API.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// No such stream, shard or consumer.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// It exists already, or is changing.
    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new("ResourceInUseException", message)
    }

    /// An argument that cannot be meant.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new("InvalidArgumentException", message)
    }

    /// An argument outside of what the API's model allows.
    pub(crate) fn validation(member: &str, constraint: &str) -> Self {
        Self::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"
            ),
        )
    }

    /// A fault of this service.
    pub(crate) fn internal(reason: impl std::fmt::Display) -> Self {
        Self::new("InternalFailure", reason.to_string())
    }

    /// The exception's name.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        if self.code == "InternalFailure" { 500 } else { 400 }
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(reason: rusqlite::Error) -> Self {
        Self::internal(reason)
    }
}
