//! Applies the breakages in a copy of the tree, one after the other, and says which test noticed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::breakage::{Breakage, Target, all};
use crate::steps::cargo_path;

/// How long a test may run before it counts as failed: some breakages make the code go round for ever.
const PATIENCE: Duration = Duration::from_secs(240);

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Hung,
    /// It did not run: the code does not compile, or no test has this name.
    Absent,
}

/// Runs the breakages with one of these words in them, or all; tells whether every one was noticed.
pub(crate) fn run(root: &Path, words: &[&str]) -> bool {
    let copy = root.join("target/mutants/tree");
    let chosen = |breakage: &&Breakage| {
        let text = format!("{breakage:?}");
        words.is_empty() || words.iter().any(|word| text.contains(word))
    };
    let chosen: Vec<&Breakage> = all().filter(chosen).collect();
    if let Err(reason) = copy_tree(root, &copy) {
        println!("the tree cannot be copied: {reason}");
        return false;
    }
    println!("{} breakages; first their tests on the code as it is", chosen.len());
    let unfit: Vec<&str> = chosen
        .iter()
        .filter(|breakage| test(&copy, breakage) != Outcome::Passed)
        .map(|breakage| breakage.test)
        .collect();
    if !unfit.is_empty() {
        println!("these do not pass on the code as it is: {}", unfit.join(", "));
        return false;
    }
    let mut survivors = 0;
    let mut table = String::new();
    for breakage in &chosen {
        let begun = Instant::now();
        let outcome = broken(root, &copy, breakage);
        let noticed = matches!(outcome, Outcome::Failed | Outcome::Hung);
        survivors += usize::from(!noticed);
        let verdict = match outcome {
            Outcome::Failed => "noticed",
            Outcome::Hung => "noticed (it hung)",
            Outcome::Passed => "SURVIVED",
            Outcome::Absent => "DOES NOT COMPILE",
        };
        let Breakage { law, what, file, test, .. } = breakage;
        let line = format!("{law:<4} {what}\n     {file}: {verdict} by {test}\n");
        println!("{line}     {:.0} s", begun.elapsed().as_secs_f64());
        table.push_str(&line);
    }
    println!("\n{table}\n{} breakages, {survivors} survived", chosen.len());
    survivors == 0
}

/// Breaks one line, runs its test, and mends the line.
fn broken(root: &Path, copy: &Path, breakage: &Breakage) -> Outcome {
    let path = copy.join(breakage.file);
    let Ok(text) = std::fs::read_to_string(root.join(breakage.file)) else { return Outcome::Absent };
    if std::fs::write(&path, text.replacen(breakage.old, breakage.new, 1)).is_err() {
        return Outcome::Absent;
    }
    let outcome = test(copy, breakage);
    // One that cannot be mended would spoil those behind it, and shows in their outcome.
    let _mended = std::fs::write(&path, text);
    outcome
}

fn test(copy: &Path, breakage: &Breakage) -> Outcome {
    let Some(binary) = build(copy, breakage) else { return Outcome::Absent };
    let output = copy.with_file_name("output");
    let Ok(file) = std::fs::File::create(&output) else { return Outcome::Absent };
    let mut command = Command::new(binary);
    command.current_dir(copy).arg(breakage.test).stdout(file).stderr(Stdio::null());
    let Ok(mut running) = command.spawn() else { return Outcome::Absent };
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match running.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(100)),
            Ok(None) | Err(_) => {
                let _killed = running.kill();
                let _gone = running.wait();
                return Outcome::Hung;
            }
        }
    };
    let said = std::fs::read_to_string(&output).unwrap_or_default();
    let ran = said.lines().any(|line| line.starts_with("running ") && !line.starts_with("running 0 "));
    match (ran, status.success()) {
        (false, _) => Outcome::Absent,
        (true, true) => Outcome::Passed,
        (true, false) => Outcome::Failed,
    }
}

/// Builds the test; gives its binary. The whole workspace is chosen, and of it one target: so features are those of
/// `cargo xtask test`, and the SDK is compiled once instead of once a package.
fn build(copy: &Path, breakage: &Breakage) -> Option<PathBuf> {
    let own = own_name(breakage.package);
    let (target, name): (&[&str], String) = match breakage.target {
        Target::Lib => (&["--lib"], breakage.package.replace('-', "_")),
        Target::It => (&["--test", &own], own.clone()),
    };
    let mut command = Command::new(cargo_path());
    command.current_dir(copy).args(["test", "--locked", "--workspace", "--all-features"]).args(target);
    command.args(["--no-run", "--message-format", "json"]).stderr(Stdio::null());
    command.env("CARGO_TARGET_DIR", copy.with_file_name("build"));
    let built = command.output().ok().filter(|output| output.status.success())?;
    let lines = String::from_utf8_lossy(&built.stdout).into_owned();
    lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find_map(|message| binary(&message, &name))
}

/// The binary that cargo says it has built, if it is that of the tests in this target.
fn binary(message: &Value, target: &str) -> Option<PathBuf> {
    let is_it = message.pointer("/target/name")? == target && message.pointer("/profile/test")? == true;
    is_it.then(|| message.get("executable")?.as_str().map(PathBuf::from))?
}

/// What the tests of a package that have a binary of their own are called in the copy, where they need a name to be chosen by.
fn own_name(package: &str) -> String {
    format!("{package}-it")
}

/// Copies every file that git knows or would; what is the same stays, so that little is built again.
fn copy_tree(root: &Path, copy: &Path) -> Result<(), String> {
    let words = |reason: std::io::Error| reason.to_string();
    let listed = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-co", "--exclude-standard", "-z"])
        .output()
        .map_err(words)?;
    for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), copy.join(name));
        let Ok(mut bytes) = std::fs::read(&from) else { continue };
        if name.ends_with("Cargo.toml") && from.with_file_name("tests/it/main.rs").exists() {
            bytes.extend(named_test(&String::from_utf8_lossy(&bytes)).into_bytes());
        }
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(words)?;
        }
        std::fs::write(&to, bytes).map_err(words)?;
    }
    Ok(())
}

/// What is added to the manifest of a package, so that its tests can be chosen among those of all packages.
fn named_test(manifest: &str) -> String {
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = "));
    let own = own_name(name.unwrap_or_default().trim_matches('"'));
    format!("\n[[test]]\nname = \"{own}\"\npath = \"tests/it/main.rs\"\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tests_of_a_package_are_chosen_by_its_name() {
        let added = named_test("[package]\nname = \"bank\"\n\n[[bin]]\nname = \"other\"\n");
        assert_eq!(added, "\n[[test]]\nname = \"bank-it\"\npath = \"tests/it/main.rs\"\n");
    }

    #[test]
    fn the_binary_is_that_of_the_tests_and_not_of_a_program_beside_them() {
        let built = |name: &str, test: bool| json!({ "target": { "name": name }, "profile": { "test": test }, "executable": "/there" });
        assert_eq!(binary(&built("bank", true), "bank"), Some(PathBuf::from("/there")));
        assert_eq!(binary(&built("bank", false), "bank"), None);
        assert_eq!(binary(&built("bank-it", true), "bank"), None);
        assert_eq!(binary(&json!({ "reason": "build-finished" }), "bank"), None);
    }
}
