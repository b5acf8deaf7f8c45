//! How a command ends: its exit code, and the error it prints.

use std::process::ExitCode;

/// Exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Config = 3,
    Unreachable = 4,
    NotFound = 5,
    Conflict = 6,
    Differences = 7,
    Partial = 8,
    TimedOut = 9,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with what it comes from, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Prints an error and what it comes from.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {}", with_causes(error));
}
