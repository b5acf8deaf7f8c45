//! The programs that are measured: Headwater's own, those of its peers, each in the workspace it belongs to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::cargo_path;

/// Where programs are.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    root: PathBuf,
}

impl Programs {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// One of Headwater's.
    pub(super) fn ours(&self, name: &str) -> PathBuf {
        self.root.join("target/release").join(name)
    }

    /// One of another library.
    pub(super) fn peer(&self, name: &str) -> PathBuf {
        self.root.join("benches/peers/target/release").join(name)
    }

    /// dynamo-es; only counted, so it need not be fast.
    pub(super) fn dynamo(&self) -> PathBuf {
        self.root.join("benches/peers/target/debug/headwater-peers-dynamo")
    }

    /// Builds Headwater's. Everything at once, or Cargo would take other features each time and build it all again.
    pub(super) fn build_ours(&self) -> Result<(), String> {
        let packages = ["-p", "headwater-benches", "-p", "bank", "--bins"];
        cargo(&self.root, &["build", "--release", "--locked"], &packages)
    }

    /// Builds what counts the instructions of single steps, which is a workspace of its own.
    pub(super) fn build_counted(&self) -> Result<PathBuf, String> {
        let folder = self.root.join("benches/counted");
        cargo(&folder, &["build", "--release", "--locked"], &["-p", "headwater-counted"])?;
        Ok(folder.join("target/release/headwater-counted"))
    }

    /// Builds a package of the peers, by itself, so that it gets no features of another.
    pub(super) fn build_peer(&self, package: &str, release: bool) -> Result<(), String> {
        let profile: &[&str] =
            if release { &["build", "--locked", "--release"] } else { &["build", "--locked"] };
        cargo(&self.root.join("benches/peers"), profile, &["-p", package])
    }

    /// A folder for what is measured with.
    pub(super) fn folder(&self) -> Result<PathBuf, String> {
        let folder = self.root.join("target/bench");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}

fn cargo(folder: &Path, arguments: &[&str], packages: &[&str]) -> Result<(), String> {
    let mut command = Command::new(cargo_path());
    command.current_dir(folder).args(arguments).args(packages);
    let built = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    match built.success() {
        true => Ok(()),
        false => Err(format!("{} cannot be built", packages.join(" "))),
    }
}
