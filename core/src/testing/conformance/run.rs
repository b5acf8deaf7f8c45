//! Running checks: one by name, or all of them with a list of those that failed.

use std::fmt;
use std::sync::Arc;

use super::{Backend, Check, checks};

/// A check that a backend did not pass.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The check.
    pub check: Check,
    /// What it said.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.check.name, self.check.law, self.message)
    }
}

/// Runs the check of this name.
///
/// # Panics
/// When there is no such check, when the backend does not pass, or when the backend's patience ran out.
pub async fn run(name: &str, backend: &dyn Backend) {
    let check = checks().iter().find(|check| check.name == name).expect("the check is in the list");
    let patience = backend.scale().patience;
    let finished = tokio::time::timeout(patience, (check.run)(backend)).await;
    assert!(finished.is_ok(), "the check was not done after {patience:?}: something hangs, or is very slow");
}

/// Runs every check, one after the other, and gives those that failed.
pub async fn failures(backend: Arc<dyn Backend>) -> Vec<Failure> {
    let mut failures = Vec::new();
    for check in checks() {
        let backend = Arc::clone(&backend);
        let outcome = tokio::spawn(async move { run(check.name, &*backend).await }).await;
        if let Err(error) = outcome {
            failures.push(Failure { check: *check, message: message(error) });
        }
    }
    failures
}

fn message(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "it was cancelled".to_owned() };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or("it panicked", |message| message).to_owned(),
    }
}
