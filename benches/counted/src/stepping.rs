//! Counts the instructions of a program by stepping through it, one by one: no simulator, nothing to install, and the same
//! number on an idle machine and on a busy one.
//!
//! The program asks to be traced and stops three times: before it warms up, where counting begins, and where it ends.

use std::path::Path;

/// The instructions between the last two stops of a program.
///
/// # Errors
/// A sentence, when the program cannot be traced or ends before its last stop.
pub(crate) fn count(program: &Path, arguments: &[&str]) -> Result<u64, String> {
    let counting = || system::count(program, arguments);
    // On a thread of its own: only the one that has started a process may trace it, and it stays on one processor.
    let counted = std::thread::scope(|scope| scope.spawn(counting).join());
    counted.unwrap_or_else(|_| Err("counting instructions panicked".to_owned()))
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod system {
    use std::io::Read;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::sys::ptrace;
    use nix::sys::signal::Signal;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::Pid;

    /// More instructions than any step has: a program that forgets its last stop is not stepped through for ever.
    const MOST: u64 = 50_000_000;

    /// A program that is traced, ended with this.
    struct Traced {
        process: Child,
        id: Pid,
    }

    pub(super) fn count(program: &Path, arguments: &[&str]) -> Result<u64, String> {
        stay_on_one_processor();
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", program.display());
        let process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let id = Pid::from_raw(i32::try_from(process.id()).map_err(|error| failed(&error))?);
        let mut traced = Traced { process, id };
        traced.until_a_stop().map_err(|error| failed(&error))?;
        ptrace::cont(id, None).map_err(|error| failed(&error))?;
        traced.until_a_stop().map_err(|error| failed(&error))?;
        traced.step_until_a_stop().map_err(|error| failed(&error))
    }

    impl Traced {
        /// Waits until the program stops itself.
        fn until_a_stop(&mut self) -> Result<(), String> {
            loop {
                match self.stopped()? {
                    Signal::SIGSTOP => return Ok(()),
                    other => ptrace::cont(self.id, other).map_err(|error| error.to_string())?,
                }
            }
        }

        /// Goes from one instruction to the next until the program stops itself, and says how many they were.
        fn step_until_a_stop(&mut self) -> Result<u64, String> {
            let (mut steps, mut deliver) = (0, None);
            while steps < MOST {
                ptrace::step(self.id, deliver).map_err(|error| error.to_string())?;
                match self.stopped()? {
                    Signal::SIGTRAP => (steps, deliver) = (steps + 1, None),
                    Signal::SIGSTOP => return Ok(steps),
                    other => deliver = Some(other),
                }
            }
            Err(format!("it did not stop within {MOST} instructions"))
        }

        /// The signal it is stopped by; what it says, if it ends instead.
        fn stopped(&mut self) -> Result<Signal, String> {
            match waitpid(self.id, None).map_err(|error| error.to_string())? {
                WaitStatus::Stopped(_, signal) => Ok(signal),
                ended => {
                    let mut said = String::new();
                    if let Some(mut errors) = self.process.stderr.take() {
                        _ = errors.read_to_string(&mut said);
                    }
                    Err(format!("it ended before it was counted ({ended:?}): {}", said.trim()))
                }
            }
        }
    }

    impl Drop for Traced {
        fn drop(&mut self) {
            // It may have ended, and been waited for.
            _ = self.process.kill();
            _ = self.process.wait();
        }
    }

    /// Both processes on one processor hand over to each other several times faster than on two. Where that is not
    /// allowed, it is only slower.
    fn stay_on_one_processor() {
        let this = Pid::from_raw(0);
        let Ok(allowed) = sched_getaffinity(this) else { return };
        let mut one = CpuSet::new();
        let first = (0..CpuSet::count()).find(|number| allowed.is_set(*number).unwrap_or_default());
        if first.is_some_and(|number| one.set(number).is_ok()) {
            _ = sched_setaffinity(this, &one);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod system {
    use std::path::Path;

    pub(super) fn count(_: &Path, _: &[&str]) -> Result<u64, String> {
        // Elsewhere a step through a loop of exclusive loads and stores may never come to its end.
        Err("instructions are counted on Linux on x86_64 only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_without_a_stop_is_named_with_what_it_says() {
        let error = count(Path::new("sh"), &["-c", "echo 'no such step' >&2"]).unwrap_err();
        assert!(error.starts_with("sh: "), "{error}");
    }
}
