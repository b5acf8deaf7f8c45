//! W5: servers over HTTP, beside servers that do next to nothing. The load comes from the same machine.

use std::path::{Path, PathBuf};

use super::build::Programs;
use super::load::{Answers, Ask, wrk, wrk_for};
use super::report::{Report, number};
use super::server::Server;
use super::shed::shed;
use super::stores::stores;

/// Connections of a row.
const CONNECTIONS: [u32; 3] = [1, 16, 64];
/// Accounts for each connection: what is opened is never asked for before it is there.
const ACCOUNTS: u32 = 50;

/// What is measured: its name in the table, the server, its path, and whether rows are asked for.
struct Row {
    name: &'static str,
    server: usize,
    path: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Events,
    Commands,
    Queries,
}

const ROWS: [Row; 10] = [
    Row { name: "`floor-http`: nothing is done", server: 0, path: "/nothing", kind: Kind::Events },
    Row { name: "`floor-http-mem`: kept in memory", server: 0, path: "/memory", kind: Kind::Events },
    Row {
        name: "`floor-http-sync`: fdatasync before the answer",
        server: 0,
        path: "/disk",
        kind: Kind::Events,
    },
    Row { name: "memory store: commands", server: 1, path: "/", kind: Kind::Commands },
    Row { name: "memory store: queries", server: 1, path: "/", kind: Kind::Queries },
    Row {
        name: "memory store, read models kept elsewhere: commands",
        server: 2,
        path: "/",
        kind: Kind::Commands,
    },
    Row { name: "`dev`, nothing kept: commands", server: 3, path: "/", kind: Kind::Commands },
    Row { name: "`dev`, nothing kept: queries", server: 3, path: "/", kind: Kind::Queries },
    Row { name: "`dev --data-dir`: commands", server: 4, path: "/", kind: Kind::Commands },
    Row { name: "`dev --data-dir`: queries", server: 4, path: "/", kind: Kind::Queries },
];

/// What a row has for each number of connections.
type Measured = (String, [Answers; CONNECTIONS.len()]);
/// The same of several rounds: medians, and ranges of how many a second.
type Typical = (String, [(Answers, String); CONNECTIONS.len()]);

/// Measures every row once a round for each number of connections.
pub(super) fn serve(programs: &Programs, folder: &Path, rounds: usize) -> Result<Report, String> {
    let mut found = Vec::new();
    for round in 0..rounds {
        println!("  round {} of {rounds}", round + 1);
        found.push(measure(programs, folder)?);
    }
    let mut report = report(&together(&found));
    shed(programs, folder, rounds, &mut report)?;
    Ok(report)
}

fn measure(programs: &Programs, folder: &Path) -> Result<Vec<Measured>, String> {
    let mut found = Vec::new();
    let data = folder.join("data");
    let starts: [(PathBuf, Vec<String>); 5] = [
        (programs.peer("headwater-peers-floor"), vec![folder.join("floor.log").display().to_string()]),
        (programs.ours("headwater-figures"), words("bank")),
        (programs.ours("headwater-figures"), words("bank --role api")),
        (programs.ours("bank"), words("dev --port 0")),
        (
            programs.ours("bank"),
            [words("dev --port 0 --data-dir"), vec![data.display().to_string()]].concat(),
        ),
    ];
    let mut run = 0;
    for (number, (program, arguments)) in starts.iter().enumerate() {
        let _absent = std::fs::remove_dir_all(&data);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let server = Server::start(program, &arguments)?;
        for row in ROWS.iter().filter(|row| row.server == number) {
            let url = format!("{}{}", server.url, row.path);
            let mut answers = [Answers::default(); CONNECTIONS.len()];
            for (answer, connections) in answers.iter_mut().zip(CONNECTIONS) {
                let accounts = ACCOUNTS * connections;
                run += 1;
                let ask = match row.kind {
                    Kind::Events => Ask::Events,
                    Kind::Commands => Ask::Commands { run, accounts },
                    Kind::Queries => {
                        // So that there are rows. What is asked for before its row is there would count as refused.
                        wrk_for(folder, &url, Ask::Commands { run, accounts: ACCOUNTS }, ACCOUNTS / 2, 1)?;
                        std::thread::sleep(std::time::Duration::from_secs(1));
                        Ask::Rows { run, accounts: ACCOUNTS }
                    }
                };
                *answer = wrk(folder, &url, ask, connections)?;
            }
            found.push((row.name.to_owned(), answers));
        }
    }
    let _absent = std::fs::remove_dir_all(&data);
    found.extend(stores(programs, folder, CONNECTIONS)?);
    Ok(found)
}

/// Rows of several rounds as one: each has the same.
fn together(rounds: &[Vec<Measured>]) -> Vec<Typical> {
    let first = rounds.first().into_iter().flatten().enumerate();
    let row = |(place, (name, _)): (usize, &Measured)| {
        let of_rounds = || rounds.iter().filter_map(move |rows| rows.get(place));
        let typical = std::array::from_fn(|connections| {
            let answers = of_rounds().filter_map(|(_, answers)| answers.get(connections).copied());
            Answers::typical(&answers.collect::<Vec<_>>())
        });
        (name.clone(), typical)
    };
    first.map(row).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn report(found: &[Typical]) -> Report {
    let mut rows = Vec::new();
    for (name, answers) in found {
        let mut cells = vec![name.clone()];
        for (Answers { per_second, p50_ms, p99_ms, refused }, range) in answers {
            cells.push(format!("{} ({range})", number(*per_second)));
            let refused =
                if *refused > 0.0 { format!(" ({} refused)", number(*refused)) } else { String::new() };
            cells.push(format!("{} / {}{refused}", number(*p50_ms), number(*p99_ms)));
        }
        rows.push(cells);
    }
    let mut report = Report::default();
    report.table(
        &[
            "server",
            "1 connection (range)",
            "p50 / p99 ms",
            "16 connections (range)",
            "p50 / p99 ms",
            "64 connections (range)",
            "p50 / p99 ms",
        ],
        &rows,
    );
    let at = |name: &str, place: usize| {
        let row = found.iter().find(|(row, _)| row.contains(name));
        row.and_then(|(_, answers)| answers.get(place)).map_or(f64::NAN, |(answers, _)| answers.per_second)
    };
    for (place, connections) in CONNECTIONS.into_iter().enumerate() {
        for row in ["memory store: commands", "memory store, read models kept elsewhere: commands"] {
            let share = at(row, place) / at("floor-http-mem", place);
            report.aim(
                &format!("{row}: half of `floor-http-mem`, {connections} connections"),
                format!("{} of it", number(share)),
                share >= 0.5,
            );
        }
    }
    for (place, connections) in CONNECTIONS.into_iter().enumerate().skip(1) {
        let (ours, theirs) = (at("data-dir`: commands", place), at("umadb", place));
        report.aim(
            &format!("`dev --data-dir`: as many commands as umadb appends, {connections} connections"),
            format!("{} of {}", number(ours), number(theirs)),
            ours >= theirs,
        );
    }
    report
}
