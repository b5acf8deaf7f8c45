//! `cargo xtask bench [w1 … w9] [instructions] [--rounds N] [--build]`.

use std::path::Path;
use std::time::Instant;

use super::build::Programs;
use super::report::Report;
use super::{cost, growth, http, instructions, latency, machine, memory, page, units};

/// What can be asked for, in the order it is done, and what it is about.
const WORKLOADS: [(&str, &str); 10] = [
    ("w1", "command path in memory"),
    ("w2", "long streams"),
    ("w3", "a read model from a million events"),
    ("w4", "requests and units on DynamoDB"),
    ("w5", "server"),
    ("w6", "from a command to its row"),
    ("w7", "dollars"),
    ("w8", "bytes in memory"),
    ("w9", "growth"),
    ("instructions", "instructions of single steps"),
];

/// How often the workloads in memory are done, unless told otherwise: those of W3 take longer.
const ROUNDS: usize = 5;
const ROUNDS_OF_W3: usize = 3;
/// Those of W5 take a minute and a half each.
const ROUNDS_OF_W5: usize = 3;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    workloads: Vec<&'static str>,
    rounds: Option<usize>,
    /// Whether nothing is measured: only to have the programs ready.
    only_build: bool,
}

impl Wanted {
    fn of(words: &[&str]) -> Result<Self, String> {
        let mut wanted = Self { workloads: Vec::new(), rounds: None, only_build: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--build" => wanted.only_build = true,
                "--rounds" => {
                    let rounds =
                        words.next().and_then(|rounds| rounds.parse().ok()).filter(|rounds| *rounds > 0);
                    wanted.rounds = Some(rounds.ok_or("--rounds takes a number, at least 1")?);
                }
                name => {
                    let found = WORKLOADS.iter().find(|(known, _)| *known == name);
                    let known = || WORKLOADS.map(|(name, _)| name).join(", ");
                    wanted
                        .workloads
                        .push(found.ok_or_else(|| format!("unknown: {name}; there are {}", known()))?.0);
                }
            }
        }
        if wanted.workloads.is_empty() {
            wanted.workloads = WORKLOADS.map(|(name, _)| name).to_vec();
        }
        // Dollars are those of the units that were just counted.
        if wanted.workloads.contains(&"w7") && !wanted.workloads.contains(&"w4") {
            wanted.workloads.push("w4");
        }
        Ok(wanted)
    }

    fn wants(&self, name: &str) -> bool {
        self.workloads.contains(&name)
    }
}

/// Measures, prints and writes the page; tells whether everything could be measured.
pub(crate) fn run(root: &Path, words: &[&str]) -> bool {
    match Wanted::of(words).and_then(|wanted| measure(root, &wanted)) {
        Ok(()) => true,
        Err(reason) => {
            println!("{reason}");
            false
        }
    }
}

fn measure(root: &Path, wanted: &Wanted) -> Result<(), String> {
    let programs = Programs::new(root);
    build(&programs, wanted)?;
    if wanted.only_build {
        return Ok(());
    }
    let folder = programs.folder()?;
    let described = format!("Measured on {}. {}", machine::day(), machine::describe());
    println!("\n{described}");
    page::write(root, "machine", &described)?;
    let (count, of_w3) = (wanted.rounds.unwrap_or(ROUNDS), wanted.rounds.unwrap_or(ROUNDS_OF_W3));
    let of_w5 = wanted.rounds.unwrap_or(ROUNDS_OF_W5);
    let mut failed = Vec::new();
    let mut counted = None;
    for (name, about) in WORKLOADS.into_iter().filter(|(name, _)| wanted.wants(name)) {
        println!("\n=== {name}: {about}");
        let begun = Instant::now();
        let report = match name {
            "w1" => memory::decide(&programs, &folder, count),
            "w2" => memory::long(&programs, &folder, count),
            "w3" => memory::rebuild(&programs, &folder, of_w3),
            "w4" => units::count(&programs).map(|(report, units)| {
                counted = Some(units);
                report
            }),
            "w5" => http::serve(&programs, &folder, of_w5),
            "w6" => latency::latency(&programs, &folder),
            "w7" => counted.as_ref().map(cost::cost).ok_or_else(|| "nothing was counted".to_owned()),
            "w8" => growth::memory(&programs),
            "w9" => growth::growth(&programs),
            _ => instructions::count(&programs, root),
        };
        match report.and_then(|report| show(root, name, &report)) {
            Ok(()) => println!("=== {name}: {:.0} s", begun.elapsed().as_secs_f64()),
            Err(reason) => {
                println!("=== {name} FAILED: {reason}");
                failed.push(name);
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("not measured: {}; the page keeps what it had of them", failed.join(", "))),
    }
}

fn show(root: &Path, name: &str, report: &Report) -> Result<(), String> {
    let text = report.markdown();
    println!("\n{text}");
    page::write(root, name, &text)
}

fn build(programs: &Programs, wanted: &Wanted) -> Result<(), String> {
    programs.build_ours()?;
    if ["w1", "w2", "w3"].into_iter().any(|name| wanted.wants(name)) {
        programs.build_peer("headwater-peers", true)?;
    }
    if wanted.wants("w4") {
        programs.build_peer("headwater-peers-dynamo", false)?;
    }
    if wanted.wants("w5") {
        programs.build_peer("headwater-peers-floor", true)?;
        programs.build_servers()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_everything_and_dollars_need_units() {
        let all = Wanted::of(&[]).unwrap();
        assert_eq!((all.workloads.len(), all.rounds, all.only_build), (WORKLOADS.len(), None, false));
        let some = Wanted::of(&["w7", "--rounds", "3", "--build"]).unwrap();
        assert_eq!((some.workloads, some.rounds, some.only_build), (vec!["w7", "w4"], Some(3), true));
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_there_is() {
        assert!(Wanted::of(&["w10"]).unwrap_err().contains("w1, w2"));
        assert!(Wanted::of(&["--rounds"]).unwrap_err().contains("at least 1"));
        assert!(Wanted::of(&["--rounds", "0"]).unwrap_err().contains("at least 1"));
    }
}
