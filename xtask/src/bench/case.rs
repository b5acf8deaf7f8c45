//! A program that measures once and says what it found, in lines of JSON.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One row of a table.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// What it is called.
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

impl Case {
    /// A program with what it is told.
    pub(super) fn new(name: impl Into<String>, program: PathBuf, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Self { name: name.into(), program, arguments }
    }

    /// Runs it, and reads the line it appends to a file; libraries print what they like.
    pub(super) fn run_to_file(&self, folder: &std::path::Path) -> Result<Value, String> {
        let out = folder.join("line.json");
        let _absent = fs::remove_file(&out);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("--out").arg(&out).stdout(Stdio::null());
        let output =
            command.stderr(Stdio::piped()).output().map_err(|error| self.failed(&error.to_string()))?;
        if !output.status.success() {
            return Err(self.failed(String::from_utf8_lossy(&output.stderr).trim()));
        }
        let line = fs::read_to_string(&out).map_err(|error| self.failed(&error.to_string()))?;
        serde_json::from_str(line.trim()).map_err(|error| self.failed(&error.to_string()))
    }

    /// Runs it, and reads the lines it prints.
    pub(super) fn run(&self) -> Result<Vec<Value>, String> {
        let output = Command::new(&self.program)
            .args(&self.arguments)
            .output()
            .map_err(|error| self.failed(&error.to_string()))?;
        if !output.status.success() {
            return Err(self.failed(String::from_utf8_lossy(&output.stderr).trim()));
        }
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = lines.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).map_err(|error| self.failed(&error.to_string())))
            .collect()
    }

    fn failed(&self, why: &str) -> String {
        format!("{} ({} {}): {why}", self.name, self.program.display(), self.arguments.join(" "))
    }
}
