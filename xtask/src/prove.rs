//! The proof in large: the same tests as in `cargo xtask test`, with more seeds, larger models and more time.

use std::path::Path;
use std::process::Command;

use crate::steps::cargo_path;

/// How many seconds fuzzing and chaos take each, unless told otherwise. The simulation gets as many seeds.
pub(crate) const SECONDS: u64 = 600;

/// Runs it; tells whether everything held.
pub(crate) fn run(root: &Path, seconds: u64) -> bool {
    println!("proof with {seconds} s for each target of fuzzing and for chaos, and {} seeds", seconds * 10);
    let mut command = Command::new(cargo_path());
    command.current_dir(root).args([
        "test",
        "--locked",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--",
        "model::",
        "simulation::",
        "fuzz::",
        "chaos::",
        "--nocapture",
        "--test-threads",
        "2",
    ]);
    command.env("HEADWATER_PROVE", "large");
    command.env("HEADWATER_SEEDS", (seconds * 10).to_string());
    command.env("HEADWATER_SECONDS", seconds.to_string());
    command.status().is_ok_and(|status| status.success())
}
