//! The programs that are measured: Headwater's own, those of its peers, each in the workspace it belongs to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::cargo_path;

/// An event-store server that the registry has.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreServer {
    package: &'static str,
    pub(super) version: &'static str,
    pub(super) program: &'static str,
}

pub(super) const UMADB: StoreServer = StoreServer { package: "umadb", version: "0.7.8", program: "umadb" };
pub(super) const SIERRADB: StoreServer =
    StoreServer { package: "sierradb-server", version: "0.3.1", program: "sierradb" };

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
        cargo(&self.root, &["build", "--release", "--locked"], &packages, &[])
    }

    /// Builds what counts the instructions of single steps, which is a workspace of its own.
    pub(super) fn build_counted(&self) -> Result<PathBuf, String> {
        let folder = self.root.join("benches/counted");
        cargo(&folder, &["build", "--release", "--locked"], &["-p", "headwater-counted"], &[])?;
        Ok(folder.join("target/release/headwater-counted"))
    }

    /// Tests what counts, as it was built to count.
    pub(super) fn test_counted(&self) -> bool {
        let mut command = Command::new(cargo_path());
        command.current_dir(self.root.join("benches/counted")).args(["test", "--release", "--locked"]);
        command.status().is_ok_and(|status| status.success())
    }

    /// Builds a package of the peers, by itself, so that it gets no features of another.
    pub(super) fn build_peer(&self, package: &str, release: bool) -> Result<(), String> {
        self.build_peer_with(package, release, &[])
    }

    /// Builds event-store servers as they are in the registry, and what loads them.
    pub(super) fn build_servers(&self) -> Result<(), String> {
        self.build_peer("headwater-peers-protoc", true)?;
        let failed = |error| format!("headwater-peers-protoc cannot be started: {error}");
        let said = Command::new(self.peer("headwater-peers-protoc")).output().map_err(failed)?;
        let protoc = [("PROTOC", String::from_utf8_lossy(&said.stdout).trim().to_owned())];
        self.build_peer_with("headwater-peers-servers", true, &protoc)?;
        for server in [UMADB, SIERRADB] {
            let version = format!("{}@{}", server.package, server.version);
            let folder = self.folder()?;
            let (root, target) = (folder.join("servers"), folder.join("build"));
            let (root, target) = (root.display().to_string(), target.display().to_string());
            let install = ["install", "--locked", "--root", &root, "--target-dir", &target];
            cargo(&self.root, &install, &[&version], &protoc)?;
        }
        Ok(())
    }

    /// An event-store server of the registry.
    pub(super) fn server(&self, server: &StoreServer) -> PathBuf {
        self.root.join("target/bench/servers/bin").join(server.program)
    }

    fn build_peer_with(
        &self,
        package: &str,
        release: bool,
        variables: &[(&str, String)],
    ) -> Result<(), String> {
        let profile: &[&str] =
            if release { &["build", "--locked", "--release"] } else { &["build", "--locked"] };
        cargo(&self.root.join("benches/peers"), profile, &["-p", package], variables)
    }

    /// A folder for what is measured with.
    pub(super) fn folder(&self) -> Result<PathBuf, String> {
        let folder = self.root.join("target/bench");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}

fn cargo(
    folder: &Path,
    arguments: &[&str],
    packages: &[&str],
    variables: &[(&str, String)],
) -> Result<(), String> {
    let mut command = Command::new(cargo_path());
    command.current_dir(folder).args(arguments).args(packages).envs(variables.iter().cloned());
    let built = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    match built.success() {
        true => Ok(()),
        false => Err(format!("{} cannot be built", packages.join(" "))),
    }
}
