//! The proof in large: the same tests as in `cargo xtask test`, with more seeds, larger models and more time.

use std::path::Path;
use std::process::Command;

use crate::steps::cargo_path;

/// How many seconds each target of fuzzing takes, and chaos, unless told otherwise.
pub(crate) const SECONDS: u64 = 600;
/// Seeds that a simulation gets for each of these seconds: about what it gets through.
const SEEDS: u64 = 100;

/// Runs it; tells whether everything held.
pub(crate) fn run(root: &Path, seconds: u64) -> bool {
    let seeds = seconds * SEEDS;
    println!("proof with {seconds} s for each target of fuzzing and for chaos, and {seeds} seeds");
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
    command.env("HEADWATER_SEEDS", seeds.to_string());
    command.env("HEADWATER_SECONDS", seconds.to_string());
    command.status().is_ok_and(|status| status.success())
}
