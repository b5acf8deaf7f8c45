//! The workspace's chores as a program: `cargo xtask test` says whether the main branch is green.
//!
//! Not a shell script, so that it runs wherever Rust does and its rules have tests of their own.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod bench;
mod lookalikes;
mod mutate;
mod prove;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The chores of this workspace.

  cargo xtask test        everything that must pass before a merge: format, tidy, lints, tests, documentation
  cargo xtask tidy        only the house rules: dependency arrows, file sizes, module files, manifests, left-over marks
  cargo xtask prove       the proof in large; `prove SECONDS` for how long a part may take
  cargo xtask mutate      breaks the code, line by line, and shows which test notices; `mutate WORD…` for a part of the table
  cargo xtask instructions  those of the hot paths, counted one by one, against their budget
  cargo xtask bench       figures: Headwater beside its peers, into docs/benchmarks.md; `bench w1 w5 --rounds 3` for a part
  cargo xtask lookalikes  only the independent servers for the tests: install what is absent, print where they are
  cargo xtask help        this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match words.as_slice() {
        ["test"] => steps::test(&root()),
        ["tidy"] => steps::tidy(&root()),
        ["prove"] => prove::run(&root(), prove::SECONDS),
        ["prove", seconds] if seconds.parse::<u64>().is_ok() => {
            prove::run(&root(), seconds.parse().unwrap_or(prove::SECONDS))
        }
        ["mutate", words @ ..] => mutate::run(&root(), words),
        ["bench", rest @ ..] => bench::run(&root(), rest),
        ["instructions"] => bench::keep_their_budget(&root()),
        ["lookalikes"] => steps::lookalikes(&root()),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            true
        }
        other => {
            eprintln!("unknown: `cargo xtask {}`\n\n{HELP}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The folder of the workspace: the parent of this package's.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}
