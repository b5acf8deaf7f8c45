//! What a harness says.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Arg, ArgMatches, Command, value_parser};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Many accounts, commands dealt round robin: load, decide, append.
    W1,
    /// One account with a long history, then commands one by one.
    W2,
}

/// How it is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is measured.
    pub workload: Workload,
    /// The name in the line that comes out.
    pub peer: String,
    /// Threads that carry commands out.
    pub threads: usize,
    /// Accounts of W1.
    pub accounts: usize,
    /// Commands that are measured; 200,000 of W1 and 100 of W2 unless said otherwise.
    pub commands: Option<usize>,
    /// Events the account of W2 has before.
    pub history: u32,
    /// Streams whose state is cached.
    pub cache: usize,
    /// The file that gets the line; standard error without it.
    pub out: Option<PathBuf>,
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "w1" => Ok(Self::W1),
            "w2" => Ok(Self::W2),
            _ => Err("workloads are w1 and w2".to_owned()),
        }
    }
}

impl Options {
    /// The command line.
    #[must_use]
    pub fn command() -> Command {
        let option = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
        let number = |name, help| option(name, help).value_parser(value_parser!(usize));
        Command::new("headwater-peer")
            .about("Runs a workload and appends its figures to a file, a line of JSON")
            .arg(Arg::new("workload").required(true).value_parser(Workload::from_str).help("w1 or w2"))
            .arg(option("peer", "The name in the line").default_value("headwater"))
            .arg(number("threads", "Threads that carry commands out").default_value("1"))
            .arg(number("accounts", "Accounts of w1").default_value("10000"))
            .arg(number("commands", "Commands that are measured"))
            .arg(
                option("history", "Events before w2").default_value("10000").value_parser(value_parser!(u32)),
            )
            .arg(number("cache", "Streams whose state is cached").default_value("20000"))
            .arg(option("snapshots", "Of w2: accepted for the harness; the aggregate asks for one every 100"))
            .arg(option("out", "The file that gets the line").value_parser(value_parser!(PathBuf)))
    }

    /// What was said on it.
    #[must_use]
    pub fn of(arguments: &ArgMatches) -> Self {
        let number = |name| arguments.get_one::<usize>(name).copied();
        let has_default = "it has a default";
        Self {
            workload: arguments.get_one("workload").copied().expect("it is required"),
            peer: arguments.get_one::<String>("peer").cloned().expect(has_default),
            threads: number("threads").expect(has_default),
            accounts: number("accounts").expect(has_default),
            commands: number("commands"),
            history: arguments.get_one("history").copied().expect(has_default),
            cache: number("cache").expect(has_default),
            out: arguments.get_one("out").cloned(),
        }
    }
}
