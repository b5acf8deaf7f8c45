//! Runs the steps of `cargo xtask test` one after the other, whatever fails, and adds them up at the end.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::tidy;

/// One thing that must pass.
struct Step {
    /// What the table calls it.
    name: &'static str,
    /// How it is done.
    action: Action,
}

enum Action {
    /// The house rules, in this process.
    Tidy,
    /// A cargo command.
    Cargo {
        arguments: &'static [&'static str],
        /// An environment variable it needs.
        environment: Option<(&'static str, &'static str)>,
        /// The rustup component without which it cannot run.
        component: Option<&'static str>,
    },
}

/// What came of a step.
struct Outcome {
    name: &'static str,
    passed: bool,
    took: Duration,
}

const STEPS: [Step; 5] = [
    Step {
        name: "format",
        action: Action::Cargo {
            arguments: &["fmt", "--all", "--check"],
            environment: None,
            component: Some("rustfmt"),
        },
    },
    Step { name: "tidy", action: Action::Tidy },
    Step {
        name: "lints",
        action: Action::Cargo {
            arguments: &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            environment: None,
            component: Some("clippy"),
        },
    },
    Step {
        name: "tests",
        action: Action::Cargo {
            arguments: &["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"],
            environment: None,
            component: None,
        },
    },
    Step {
        name: "documentation",
        action: Action::Cargo {
            arguments: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
            environment: Some(("RUSTDOCFLAGS", "-Dwarnings")),
            component: None,
        },
    },
];

/// Runs every step; tells whether all passed.
pub(crate) fn test(root: &Path) -> bool {
    let outcomes: Vec<Outcome> = STEPS.iter().map(|step| run(step, root)).collect();
    println!("\n{}", table(&outcomes));
    outcomes.iter().all(|outcome| outcome.passed)
}

/// Checks the house rules and prints what breaks them; tells whether none is broken.
pub(crate) fn tidy(root: &Path) -> bool {
    let violations = match tidy::check(root) {
        Ok(violations) => violations,
        Err(reason) => {
            println!("tidy could not look: {reason}");
            return false;
        }
    };
    violations.iter().for_each(|violation| println!("{violation}"));
    match violations.len() {
        0 => println!("tidy: nothing to say"),
        1 => println!("tidy: 1 rule is broken, see above"),
        several => println!("tidy: {several} rules are broken, see above"),
    }
    violations.is_empty()
}

fn run(step: &Step, root: &Path) -> Outcome {
    println!("\n=== {}: {}", step.name, described(&step.action));
    let begin = Instant::now();
    let passed = match &step.action {
        Action::Tidy => tidy(root),
        Action::Cargo { arguments, environment, component } => {
            component.is_none_or(|component| installed(arguments, component))
                && cargo(root, arguments, *environment)
        }
    };
    let took = begin.elapsed();
    println!("=== {}: {} after {:.1} s", step.name, verdict(passed), took.as_secs_f64());
    Outcome { name: step.name, passed, took }
}

/// Runs cargo with its output on this terminal.
fn cargo(root: &Path, arguments: &[&str], environment: Option<(&str, &str)>) -> bool {
    let mut command = Command::new(cargo_path());
    command.current_dir(root).args(arguments).envs(environment);
    match command.status() {
        Ok(status) => status.success(),
        Err(reason) => {
            println!("cargo cannot be started: {reason}");
            false
        }
    }
}

/// Whether the subcommand answers; says what to install if it does not.
fn installed(arguments: &[&str], component: &str) -> bool {
    let subcommand = arguments.first().copied().unwrap_or_default();
    let found = Command::new(cargo_path())
        .args([subcommand, "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        println!(
            "the component {component} is missing, so `cargo {subcommand}` cannot run: install it with \
             `rustup component add {component}`, or with your system's package {component}"
        );
    }
    found
}

/// The cargo that runs this program.
pub(crate) fn cargo_path() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The command as one would type it.
fn described(action: &Action) -> String {
    match action {
        Action::Tidy => "cargo xtask tidy".to_owned(),
        Action::Cargo { arguments, environment, .. } => {
            let before = environment.map_or_else(String::new, |(name, value)| format!("{name}={value} "));
            format!("{before}cargo {}", arguments.join(" "))
        }
    }
}

fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

/// A line for each step and a closing line with the numbers.
fn table(outcomes: &[Outcome]) -> String {
    let rows = outcomes.iter().map(|outcome| {
        format!("{:<14} {:<7} {:>7.1} s\n", outcome.name, verdict(outcome.passed), outcome.took.as_secs_f64())
    });
    let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
    let failed = outcomes.len() - passed;
    format!("{}\n{passed} passed, {failed} failed", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_stands_alone_and_counts() {
        let took = Duration::from_millis(1_234);
        let outcomes = [
            Outcome { name: "format", passed: true, took },
            Outcome { name: "tidy", passed: false, took },
            Outcome { name: "tests", passed: true, took },
        ];
        let text = table(&outcomes);
        assert_eq!(text.lines().last(), Some("2 passed, 1 failed"));
        assert_eq!(text.lines().nth(1), Some("tidy           FAILED      1.2 s"));
    }

    #[test]
    fn a_step_is_printed_as_it_would_be_typed() {
        let last = STEPS.last().map(|step| described(&step.action));
        let typed = "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --all-features --locked";
        assert_eq!(last.as_deref(), Some(typed));
    }
}
