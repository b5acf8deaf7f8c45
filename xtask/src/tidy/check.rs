//! Walks the workspace and puts every file and every package before the rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::violation::Violation;
use super::{arrows, document, manifests, sources, tree};
use crate::steps::cargo_path;

/// Checks the whole workspace.
///
/// # Errors
/// A sentence, when a file cannot be read or cargo does not answer.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>, String> {
    let mut violations = Vec::new();
    let mut rust = Vec::new();
    for path in files(root)? {
        let text = fs::read_to_string(&path).map_err(|reason| format!("{}: {reason}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        violations.extend(sources::check(&name, &text));
        violations.extend(manifests::check(&name, &text));
        // The table of breakages names tests that must be somewhere else.
        if name.ends_with(".rs") && !name.starts_with("xtask/src/mutate/") {
            rust.push(text);
        }
    }
    for name in document::PAGES {
        let page = fs::read_to_string(root.join(name)).map_err(|reason| format!("{name}: {reason}"))?;
        violations.extend(document::check(name, &page, |path| root.join(path).exists(), &rust));
    }
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--no-deps", "--locked"])?;
    violations.extend(arrows::check(&metadata)?);
    let below_core = cargo(
        root,
        &["tree", "--package", "headwater", "--edges", "normal", "--prefix", "none", "--locked"],
    )?;
    violations.extend(tree::check(&below_core));
    Ok(violations)
}

/// Every file a rule is about, in a stable order; build output and hidden folders left out.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|reason| format!("{}: {reason}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|reason| format!("{}: {reason}", folder.display()))?;
        let kind = entry.file_type().map_err(|reason| format!("{}: {reason}", entry.path().display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() && sources::concerns(&name) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// What cargo prints.
fn cargo(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let typed = format!("cargo {}", arguments.join(" "));
    let output = Command::new(cargo_path())
        .current_dir(root)
        .args(arguments)
        .output()
        .map_err(|reason| format!("`{typed}` cannot be started: {reason}"))?;
    if !output.status.success() {
        return Err(format!("`{typed}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{typed}` printed something that is not UTF-8"))
}
