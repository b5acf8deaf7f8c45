//! How this process lets whoever has started it count its instructions: it asks to be traced, and stops where counting
//! begins and where it ends.

use std::io;

/// Whether somebody counts, and where.
#[derive(Debug)]
pub(crate) struct Traced {
    by_parent: bool,
}

/// Why nobody can count.
#[derive(Debug, thiserror::Error)]
#[error("this system does not let a process be traced by the one that has started it (ptrace): {source}")]
pub(crate) struct NotTraced {
    #[from]
    source: io::Error,
}

impl Traced {
    /// Nobody.
    pub(crate) fn by_nobody() -> Self {
        Self { by_parent: false }
    }

    /// The process that has started this one.
    ///
    /// # Errors
    /// When the system does not allow it, or has no such thing.
    pub(crate) fn by_parent() -> Result<Self, NotTraced> {
        system::be_traced()?;
        Ok(Self { by_parent: true })
    }

    /// Stops, if somebody counts: to begin, or to end.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn mark(&self) -> Result<(), NotTraced> {
        if self.by_parent {
            system::stop()?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    use nix::sys::ptrace;
    use nix::sys::signal::{Signal, raise};

    pub(super) fn be_traced() -> io::Result<()> {
        Ok(ptrace::traceme()?)
    }

    pub(super) fn stop() -> io::Result<()> {
        Ok(raise(Signal::SIGSTOP)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    pub(super) fn be_traced() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn stop() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
