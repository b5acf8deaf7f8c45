//! A server of a benchmark, ended with it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that said where it is.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
}

impl Server {
    /// Starts a program and waits for `… is ready at URL` on its standard error.
    pub(super) fn start(program: &Path, arguments: &[&str]) -> Result<Self, String> {
        Self::start_with(program, arguments, &[])
    }

    /// The same, with variables of the environment.
    pub(super) fn start_with(
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Result<Self, String> {
        let failed = |why: String| format!("{}: {why}", program.display());
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| failed(error.to_string()))?;
        let said = process.stderr.take().ok_or_else(|| failed("its words cannot be read".to_owned()))?;
        let mut lines = BufReader::new(said).lines();
        let mut server = Self { process, url: String::new() };
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let url = first.split_once("is ready at ").and_then(|(_, rest)| rest.split(' ').next());
        url.ok_or_else(|| failed(format!("it is not ready: {first}")))?.clone_into(&mut server.url);
        // It must not stand still because nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    /// Starts a program that does not say where it is, and waits until something listens there.
    pub(super) fn start_at(program: &Path, arguments: &[&str], address: &str) -> Result<Self, String> {
        let failed = |why: String| format!("{}: {why}", program.display());
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(|error| failed(error.to_string()))?;
        let server = Self { process, url: address.to_owned() };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(failed(format!("nothing listens at {address} after {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}
