//! Which servers and other programs, in which version, and the commands that install one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every package behind ministack, so that a second opinion is the same one tomorrow.
const MINISTACK_PACKAGES: &str = "xtask/src/lookalikes/ministack.txt";
/// Every package behind schemathesis.
const SCHEMATHESIS_PACKAGES: &str = "xtask/src/lookalikes/schemathesis.txt";
/// DuckDB for Python, which needs no other package.
const DUCKDB_PACKAGES: &str = "xtask/src/lookalikes/duckdb.txt";
/// The folder of programs in a virtual environment of Python.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// What a program in Python needs.
const PYTHON_NEEDED: &str =
    "Python 3.10 or newer with its module venv (python3, and python3-venv where it is a package of its own)";

/// A server to install.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its name in its registry, and its folder's.
    pub(crate) name: &'static str,
    /// The only version that will do.
    pub(crate) version: &'static str,
    /// What the tests ask it about.
    pub(crate) purpose: &'static str,
    /// The environment variable by which tests find it.
    pub(crate) variable: &'static str,
    /// What the variable names, from the server's folder.
    pub(crate) entry: fn() -> PathBuf,
    /// The program without which it does not run, asked for its version.
    pub(crate) runs_on: fn(folder: &Path) -> Command,
    /// What must be on the machine to install and run it.
    pub(crate) requires: &'static str,
    /// What installs it into an empty folder, one command after the other.
    pub(crate) install: fn(root: &Path, folder: &Path) -> Vec<Command>,
}

/// The servers, in the order in which they are installed.
pub(crate) const SERVERS: [Server; 4] = [
    Server {
        name: "ministack",
        version: "1.5.33",
        purpose: "DynamoDB, S3 and reading Kinesis",
        variable: "HEADWATER_MINISTACK",
        entry: || Path::new(PROGRAMS).join(format!("ministack{}", std::env::consts::EXE_SUFFIX)),
        requires: PYTHON_NEEDED,
        runs_on: |folder| asked_for_version(folder.join(PROGRAMS).join("python").as_os_str()),
        install: |root, folder| environment(&root.join(MINISTACK_PACKAGES), folder),
    },
    Server {
        name: "kinesis-local",
        version: "0.6.2",
        purpose: "the shards of Kinesis: splits, merges, iterators and lag",
        variable: "HEADWATER_KINESIS_LOCAL",
        entry: || Path::new("node_modules").join("kinesis-local").join("main.js"),
        requires: "Node.js 20 or newer with npm (node and npm)",
        runs_on: |_| asked_for_version("node".as_ref()),
        install: |_, folder| {
            let mut npm = Command::new(NPM);
            npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
            npm.arg(folder).arg("kinesis-local@0.6.2");
            vec![asked_for_version("node".as_ref()), npm]
        },
    },
    Server {
        name: "duckdb",
        version: "2.0.0",
        purpose: "the files of the archive, read by a program that knows nothing of Headwater",
        variable: "HEADWATER_DUCKDB",
        entry: || Path::new(PROGRAMS).join(format!("python{}", std::env::consts::EXE_SUFFIX)),
        requires: PYTHON_NEEDED,
        runs_on: |folder| {
            let mut import = Command::new(folder.join(PROGRAMS).join("python"));
            import.args(["-c", "import duckdb"]);
            import
        },
        install: |root, folder| environment(&root.join(DUCKDB_PACKAGES), folder),
    },
    Server {
        name: "schemathesis",
        version: "4.32.5",
        purpose: "what the HTTP API does with requests made from its description",
        variable: "HEADWATER_SCHEMATHESIS",
        entry: || Path::new(PROGRAMS).join(format!("schemathesis{}", std::env::consts::EXE_SUFFIX)),
        requires: PYTHON_NEEDED,
        runs_on: |folder| asked_for_version(folder.join(PROGRAMS).join("python").as_os_str()),
        install: |root, folder| environment(&root.join(SCHEMATHESIS_PACKAGES), folder),
    },
];

/// Makes a virtual environment of Python and fills it.
fn environment(packages: &Path, folder: &Path) -> Vec<Command> {
    let mut environment = Command::new(PYTHON);
    environment.args(["-m", "venv"]).arg(folder);
    let mut pip = Command::new(folder.join(PROGRAMS).join("python"));
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--requirement"]);
    pip.arg(packages);
    vec![environment, pip]
}

fn asked_for_version(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    command.arg("--version");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_install_the_version_that_is_asked_for() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let packages = [MINISTACK_PACKAGES, SCHEMATHESIS_PACKAGES, DUCKDB_PACKAGES];
        let packages = packages.map(|file| std::fs::read_to_string(root.join(file)).unwrap()).join("\n");
        for server in SERVERS {
            let commands = format!("{:?}", (server.install)(root, Path::new("folder")));
            let [at, equal] = ["@", "=="].map(|sign| format!("{}{sign}{}", server.name, server.version));
            assert!(commands.contains(&at) || packages.lines().any(|line| line == equal), "{commands}");
        }
    }

    #[test]
    fn every_package_of_python_has_one_version() {
        let packages =
            [include_str!("ministack.txt"), include_str!("schemathesis.txt"), include_str!("duckdb.txt")];
        let packages = packages.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#'));
        let loose: Vec<&str> = packages.filter(|line| line.split("==").count() != 2).collect();
        assert!(loose.is_empty(), "{loose:?}");
    }
}
