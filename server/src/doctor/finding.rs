//! One thing that is wrong.

use serde::Serialize;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The service does not work, or will lose something.
    Problem,
    /// It works, and somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// What kind of fault it is; always the same word for the same kind.
    pub(crate) fault: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) mend: String,
}

impl Finding {
    pub(super) fn problem(fault: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, fault, what: what.into(), mend: mend.into() }
    }

    pub(super) fn warning(fault: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::problem(fault, what, mend) }
    }
}
