//! The rest of W5: what a server answers that is asked for more than it takes.

use std::path::Path;

use super::build::Programs;
use super::load::{Answers, Ask, wrk};
use super::report::{Report, number};
use super::server::Server;

/// Requests under way that the server takes.
const SEATS: u32 = 32;
/// Connections, each with a request under way, as multiples of that.
const LOADS: [(u32, &str); 3] = [(1, "as many as it takes"), (2, "twice as many"), (4, "four times as many")];
/// The part of its goodput that a server under too much load keeps at least.
const KEPT: f64 = 0.9;

/// Adds a table to the report.
pub(super) fn shed(
    programs: &Programs,
    folder: &Path,
    rounds: usize,
    report: &mut Report,
) -> Result<(), String> {
    println!("  `dev` that takes {SEATS} requests at once");
    let limit = [("HEADWATER_LIMITS__REQUESTS", SEATS.to_string())];
    let mut found: [Vec<Answers>; LOADS.len()] = Default::default();
    for _ in 0..rounds {
        let server = Server::start_with(&programs.ours("bank"), &["dev", "--port", "0"], &limit)?;
        for (run, (answers, (times, _))) in (0..).zip(found.iter_mut().zip(LOADS)) {
            answers.push(wrk(folder, &server.url, Ask::New { run }, times * SEATS)?);
        }
    }
    let answers = found.map(|rounds| Answers::typical(&rounds).0);
    let row = |((times, name), answers): (&(u32, &str), &Answers)| {
        let Answers { per_second, refused, p50_ms, p99_ms } = *answers;
        let connections = (times * SEATS).to_string();
        vec![
            (*name).to_owned(),
            connections,
            number(per_second),
            number(refused),
            number(p50_ms),
            number(p99_ms),
        ]
    };
    let rows: Vec<_> = LOADS.iter().zip(&answers).map(row).collect();
    report.say(format!("`dev` that takes {SEATS} requests at once, commands to new streams:"));
    report.table(&["load", "connections", "carried out/s", "refused with 503", "p50 ms", "p99 ms"], &rows);
    let [at_once, more @ ..] = answers;
    for ((_, name), answers) in LOADS.iter().skip(1).zip(more) {
        let share = answers.per_second / at_once.per_second;
        report.aim(
            &format!("commands carried out under load, {name}: {} of what it takes", number(KEPT)),
            number(share),
            share >= KEPT,
        );
    }
    Ok(())
}
