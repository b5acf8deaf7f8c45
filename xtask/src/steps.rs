//! Runs the steps of `cargo xtask test` one after the other, whatever fails, and adds them up at the end.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{bench, lookalikes, tidy};

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
    /// The instructions of the hot paths, against their budget.
    Instructions,
    /// Independent servers for the tests, found or installed; the steps behind it learn where they are.
    LookAlikes,
    /// A cargo command.
    Cargo {
        arguments: &'static [&'static str],
        /// An environment variable it needs.
        environment: Option<(&'static str, &'static str)>,
        /// The rustup component without which it cannot run.
        component: Option<&'static str>,
        /// Workspaces of their own where it must pass as well.
        beside: &'static [&'static str],
    },
}

/// What came of a step.
struct Outcome {
    name: &'static str,
    passed: bool,
    took: Duration,
}

const STEPS: [Step; 7] = [
    Step {
        name: "format",
        action: Action::Cargo {
            arguments: &["fmt", "--all", "--check"],
            environment: None,
            component: Some("rustfmt"),
            beside: &["benches/counted", "benches/peers"],
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
            beside: &[],
        },
    },
    Step { name: "look-alikes", action: Action::LookAlikes },
    Step {
        name: "tests",
        action: Action::Cargo {
            arguments: &["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"],
            environment: None,
            component: None,
            beside: &[],
        },
    },
    Step { name: "instructions", action: Action::Instructions },
    Step {
        name: "documentation",
        action: Action::Cargo {
            arguments: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
            environment: Some(("RUSTDOCFLAGS", "-Dwarnings")),
            component: None,
            beside: &[],
        },
    },
];

/// Runs every step; tells whether all passed.
pub(crate) fn test(root: &Path) -> bool {
    let mut variables = lookalikes::Variables::new();
    let outcomes: Vec<Outcome> = STEPS.iter().map(|step| run(step, root, &mut variables)).collect();
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

/// Makes the independent servers available and prints where they are; tells whether all are there.
pub(crate) fn lookalikes(root: &Path) -> bool {
    find(root).is_some()
}

fn find(root: &Path) -> Option<lookalikes::Variables> {
    match lookalikes::prepare(root) {
        Ok(variables) => {
            for (name, path) in &variables {
                println!("{name}={}", path.display());
            }
            Some(variables)
        }
        Err(reason) => {
            println!("{reason}");
            None
        }
    }
}

fn run(step: &Step, root: &Path, variables: &mut lookalikes::Variables) -> Outcome {
    println!("\n=== {}: {}", step.name, described(&step.action));
    let begin = Instant::now();
    let passed = match &step.action {
        Action::Tidy => tidy(root),
        Action::Instructions => bench::keep_their_budget(root),
        Action::LookAlikes => {
            let found = find(root);
            variables.extend(found.iter().flatten().cloned());
            found.is_some()
        }
        Action::Cargo { arguments, environment, component, beside } => {
            let passes = |folder: &Path| {
                let mut command = Command::new(cargo_path());
                command.current_dir(folder).args(*arguments).envs(*environment);
                command.envs(variables.iter().map(|(name, path)| (name, path)));
                succeeds(&mut command)
            };
            component.is_none_or(|component| installed(arguments, component))
                && passes(root)
                && beside.iter().all(|folder| passes(&root.join(folder)))
        }
    };
    let took = begin.elapsed();
    println!("=== {}: {} after {:.1} s", step.name, verdict(passed), took.as_secs_f64());
    Outcome { name: step.name, passed, took }
}

/// Runs cargo with its output on this terminal.
fn succeeds(command: &mut Command) -> bool {
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
        Action::Instructions => "cargo xtask instructions".to_owned(),
        Action::LookAlikes => "cargo xtask lookalikes".to_owned(),
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
    fn the_independent_servers_are_there_before_the_tests_ask_them() {
        let at = |name: &str| STEPS.iter().position(|step| step.name == name).unwrap();
        assert!(at("look-alikes") < at("tests"));
    }

    #[test]
    fn a_step_is_printed_as_it_would_be_typed() {
        let last = STEPS.last().map(|step| described(&step.action));
        let typed = "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --all-features --locked";
        assert_eq!(last.as_deref(), Some(typed));
    }
}
