//! `bank dev` as a process of its own, ended with the test whatever happens.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

pub(crate) struct Dev {
    pub(crate) process: Child,
    pub(crate) url: String,
    /// What it says after its first line.
    pub(crate) lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Dev {
    /// Starts it on a free port and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::run(&[&["dev", "--port", "0"], arguments].concat())
    }

    /// Starts another binary than the bank's.
    pub(crate) fn of(binary: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary);
        command.args(["dev", "--port", "0"]).args(arguments);
        Self::ready(command)
    }

    /// Starts `bank serve` on the look-alikes of this one, on a free port, and waits until it is ready.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Self {
        Self::serve_on(self.url.rsplit(':').next().unwrap(), arguments)
    }

    /// Starts `bank serve` on the look-alikes of whatever answers as a `dev` at a port of this machine.
    pub(crate) fn serve_on(port: &str, arguments: &[&str]) -> Self {
        let dev = format!("--dev={port}");
        Self::run(&[&["serve", "--listen", "127.0.0.1:0", &dev], arguments].concat())
    }

    /// Starts `bank dev`, which cannot make a file larger than so many blocks of 512 bytes.
    pub(crate) fn start_with_limit(blocks: u32, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_bank")).args(["dev", "--port", "0"]).args(arguments);
        Self::ready(command)
    }

    /// Starts the bank with these variables, and waits until it is ready.
    pub(crate) fn within(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
        command.args(arguments).envs(environment.iter().copied());
        Self::ready(command)
    }

    fn run(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
        command.args(arguments);
        Self::ready(command)
    }

    fn ready(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        // What a killed one has left may be told of before it is ready.
        let (mut before, mut url) = (Vec::new(), None);
        while url.is_none() {
            let line = lines.next().unwrap_or_else(|| panic!("it is not ready: {before:?}")).unwrap();
            url = line.split_once("is ready at ").map(|(_, rest)| rest.split(' ').next().unwrap().to_owned());
            before.push(line);
        }
        let url = url.unwrap();
        Self { process, url, lines }
    }

    /// Asks it to stop, and gives its exit code and what it said.
    pub(crate) fn terminate(mut self) -> (Option<i32>, Vec<String>) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let lines = self.lines.by_ref().map(Result::unwrap).collect();
        (self.process.wait().unwrap().code(), lines)
    }

    /// The address to connect to.
    pub(crate) fn address(&self) -> String {
        self.url.strip_prefix("http://").unwrap().to_owned()
    }

    /// Ends it as a crash of the machine would.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The most memory it has had so far, in bytes.
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// The memory it has, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    fn status_bytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().unwrap();
        }
    }
}
