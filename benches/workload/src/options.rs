//! What a harness says to the program of a library, the same to each.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Arg, ArgMatches, Command, value_parser};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Many accounts, commands dealt round robin.
    W1,
    /// One account with a long history, then commands one by one.
    W2,
    /// A read model built from all events.
    W3,
}

impl Workload {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W3 => "w3",
        }
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = [Self::W1, Self::W2, Self::W3].into_iter().find(|workload| workload.name() == name);
        found.ok_or_else(|| "workloads are w1, w2 and w3".to_owned())
    }
}

/// How it is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is measured.
    pub workload: Workload,
    /// Which library, and in which way: the programs know several names.
    pub peer: String,
    /// Threads that carry commands out or rebuild.
    pub threads: usize,
    /// Accounts of W1 and W3.
    pub accounts: usize,
    /// Commands that are measured; 200,000 of W1 and 100 of W2 unless said otherwise.
    pub commands: Option<usize>,
    /// Events the account of W2 has before.
    pub history: u32,
    /// Events that each account of W3 has.
    pub per: u32,
    /// Commands between two snapshots of W2, in the words of the library; `none` for none.
    pub snapshots: String,
    /// Streams whose state Headwater keeps in memory.
    pub cache: usize,
    /// The file that gets the line; standard error without it.
    pub out: Option<PathBuf>,
}

impl Options {
    /// The command line.
    #[must_use]
    pub fn command(program: &'static str, peer: &'static str) -> Command {
        let option = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
        let number = |name, help| option(name, help).value_parser(value_parser!(usize));
        let short = |name, help| option(name, help).value_parser(value_parser!(u32).range(1..));
        Command::new(program)
            .about("Runs a workload and appends its figures to a file, a line of JSON")
            .arg(Arg::new("workload").required(true).value_parser(Workload::from_str).help("w1, w2 or w3"))
            .arg(option("peer", "Which library, and in which way").default_value(peer))
            .arg(number("threads", "Threads that do the work").default_value("1"))
            .arg(number("accounts", "Accounts of w1 and w3").default_value("10000"))
            .arg(number("commands", "Commands that are measured"))
            .arg(short("history", "Events before w2").default_value("10000"))
            .arg(short("per", "Events of each account of w3").default_value("100"))
            .arg(option("snapshots", "Snapshots of w2, in the words of the library").default_value("none"))
            .arg(number("cache", "Streams whose state Headwater keeps in memory").default_value("20000"))
            .arg(option("out", "The file that gets the line").value_parser(value_parser!(PathBuf)))
    }

    /// What was said on it.
    #[must_use]
    pub fn of(arguments: &ArgMatches) -> Self {
        let number = |name| arguments.get_one::<usize>(name).copied();
        let short = |name| arguments.get_one::<u32>(name).copied();
        let text = |name| arguments.get_one::<String>(name).cloned();
        let has_default = "it has a default";
        Self {
            workload: arguments.get_one("workload").copied().expect("it is required"),
            peer: text("peer").expect(has_default),
            threads: number("threads").expect(has_default).max(1),
            accounts: number("accounts").expect(has_default).max(1),
            commands: number("commands"),
            history: short("history").expect(has_default),
            per: short("per").expect(has_default),
            snapshots: text("snapshots").expect(has_default),
            cache: number("cache").expect(has_default),
            out: arguments.get_one("out").cloned(),
        }
    }
}
