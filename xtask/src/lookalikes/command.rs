//! Runs a command with a bound on its time and its output in a file.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a running command is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How many of the last lines of its output say what went wrong.
const TAIL: usize = 20;

/// Runs a command to its end; what it prints goes to the end of the file.
///
/// # Errors
/// A text without a full stop, unless it ends with the last lines of the output.
pub(crate) fn run(command: &mut Command, log: &Path, patience: Duration) -> Result<(), String> {
    let typed = typed(command);
    let unable = |reason: io::Error| format!("`{typed}` cannot run: {reason}");
    let output = File::options().create(true).append(true).open(log).map_err(unable)?;
    command.stdin(Stdio::null()).stdout(output.try_clone().map_err(unable)?).stderr(output);
    let what = match wait(command, patience) {
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => {
            return Err(format!("the program {} is missing", command.get_program().display()));
        }
        Err(reason) => return Err(unable(reason)),
        Ok(Some(status)) if status.success() => return Ok(()),
        Ok(Some(status)) => format!("failed ({status})"),
        Ok(None) => format!("was stopped after {} s", patience.as_secs()),
    };
    let printed = std::fs::read_to_string(log).unwrap_or_default();
    Err(format!("`{typed}` {what}; the end of {}:\n{}", log.display(), tail(&printed)))
}

/// Waits for the end of a command and stops it when it takes too long.
fn wait(command: &mut Command, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    let mut process = command.spawn()?;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() >= patience {
            process.kill()?;
            process.wait()?;
            return Ok(None);
        }
        sleep(GLANCE);
    }
}

fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The last lines, indented.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(TAIL));
    last.map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set for the test binary that plays a command.
    const ROLE: &str = "HEADWATER_XTASK_ROLE";

    /// Does nothing unless started by another test.
    #[test]
    fn the_command_of_the_other_tests() {
        match std::env::var(ROLE).as_deref() {
            Ok("waits") => sleep(Duration::from_secs(60)),
            Ok("fails") => {
                eprintln!("cannot reach the registry");
                std::process::exit(3);
            }
            _ => {}
        }
    }

    fn play(role: &str, patience: Duration) -> Result<(), String> {
        let log = std::env::temp_dir().join(format!("headwater-xtask-{role}-{}.log", std::process::id()));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "lookalikes::command::tests::the_command_of_the_other_tests",
            "--nocapture",
        ]);
        let result = run(command.env(ROLE, role), &log, patience);
        std::fs::remove_file(log).unwrap();
        result
    }

    #[test]
    fn a_command_that_ends_well_says_nothing() {
        assert_eq!(play("succeeds", Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_command_that_fails_shows_the_end_of_its_output() {
        let told = play("fails", Duration::from_secs(60)).unwrap_err();
        assert!(
            told.contains("failed (exit status: 3)") && told.contains("cannot reach the registry"),
            "{told}"
        );
    }

    #[test]
    fn a_command_that_takes_too_long_is_stopped() {
        let begin = Instant::now();
        let told = play("waits", Duration::from_millis(200)).unwrap_err();
        assert!(told.contains("was stopped after"), "{told}");
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_missing_program_is_named() {
        let log = std::env::temp_dir().join(format!("headwater-xtask-missing-{}.log", std::process::id()));
        let result = run(&mut Command::new("no-such-program-anywhere"), &log, Duration::from_secs(1));
        std::fs::remove_file(log).unwrap();
        assert_eq!(result, Err("the program no-such-program-anywhere is missing".to_owned()));
    }

    #[test]
    fn the_tail_has_the_last_lines() {
        let text: String = (0..30).map(|number| format!("{number}\n")).collect();
        assert_eq!(tail(&text).lines().next(), Some("    10"));
        assert_eq!(tail(&text).lines().count(), TAIL);
        assert_eq!(tail("one"), "    one\n");
    }
}
