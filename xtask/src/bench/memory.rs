//! W1 to W3: the libraries in memory.

use std::path::Path;

use super::build::Programs;
use super::case::Case;
use super::report::{Report, number};
use super::rounds::rounds;

/// The fastest library that is measured beside.
const FASTEST: &str = "eventually";
/// What hand-written code with JSON does.
const BY_HAND: &str = "raw-json";

fn case(programs: &Programs, name: &str, arguments: &str) -> Case {
    let program = match name.starts_with("headwater") {
        true => programs.ours("headwater-peer"),
        false => programs.peer("headwater-peers"),
    };
    Case::new(name, program, &format!("{arguments} --peer {name}"))
}

/// W1: many accounts, on one thread and on two.
pub(super) fn decide(programs: &Programs, folder: &Path, count: usize) -> Result<Report, String> {
    let names =
        ["raw-typed", BY_HAND, "headwater", "headwater-uncached", FASTEST, "cqrs-es-mem", "cqrs-es-repo"];
    let cases: Vec<Case> = names
        .iter()
        .flat_map(|name| [1, 2].map(|threads| case(programs, name, &format!("w1 --threads {threads}"))))
        .collect();
    let lines = rounds(&cases, count, folder)?;
    let rate = |place: usize| lines.of(place, "/per_s");
    let cpu = |place: usize| lines.of(place, "/cpu_us_per_op");
    let of = |name: &str, threads: usize| {
        let place = names.iter().position(|known| *known == name).unwrap_or_default();
        rate(place * 2 + threads - 1).median()
    };
    let mut rows = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let mut row = vec![format!("`{name}`")];
        for threads in [1, 2] {
            let figures = rate(place * 2 + threads - 1);
            row.push(number(figures.median()));
            row.push(figures.range());
            row.push(number(figures.median() / of(FASTEST, threads)));
            row.push(number(cpu(place * 2 + threads - 1).median()));
        }
        rows.push(row);
    }
    let mut report = Report::default();
    report.table(
        &[
            "library",
            "1 thread, commands/s",
            "range",
            "× eventually",
            "CPU µs",
            "2 threads, commands/s",
            "range",
            "× eventually",
            "CPU µs",
        ],
        &rows,
    );
    let ratio = of("headwater", 1) / of(FASTEST, 1);
    report.aim(
        "3 times the fastest library, on one thread",
        format!("{} times", number(ratio)),
        ratio >= 3.0,
    );
    let scaling = of("headwater", 2) / of("headwater", 1);
    report.aim("two threads do more than one", format!("{} times", number(scaling)), scaling > 1.2);
    Ok(report)
}

/// W2: one account with a long history.
pub(super) fn long(programs: &Programs, folder: &Path, count: usize) -> Result<Report, String> {
    let wanted = [
        ("headwater", "100", 100),
        ("headwater", "100", 10_000),
        ("headwater", "none", 10_000),
        ("headwater-uncached", "100", 100),
        ("headwater-uncached", "100", 10_000),
        ("headwater-uncached", "none", 10_000),
        ("raw-typed", "none", 10_000),
        (BY_HAND, "none", 10_000),
        (FASTEST, "none", 10_000),
        ("cqrs-es-repo", "aggregate", 10_000),
        ("cqrs-es-repo", "100", 10_000),
        ("cqrs-es-repo", "none", 10_000),
        ("cqrs-es-mem", "none", 10_000),
    ];
    let cases: Vec<Case> = wanted
        .iter()
        .map(|(name, snapshots, history)| {
            case(programs, name, &format!("w2 --snapshots {snapshots} --history {history}"))
        })
        .collect();
    let lines = rounds(&cases, count, folder)?;
    let middle = |place: usize| lines.of(place, "/latency/p50_ms");
    let tail = |place: usize| lines.of(place, "/latency/p99_ms");
    let rows: Vec<Vec<String>> = wanted
        .iter()
        .enumerate()
        .map(|(place, (name, snapshots, history))| {
            vec![
                format!("`{name}`"),
                (*snapshots).to_owned(),
                number(f64::from(*history)),
                number(middle(place).median()),
                middle(place).range(),
                number(tail(place).median()),
            ]
        })
        .collect();
    let mut report = Report::default();
    report.table(&["library", "snapshots", "events before", "ms, median", "range of medians", "p99"], &rows);
    let at = |name: &str, snapshots: &str, history: i32| {
        let place = wanted.iter().position(|case| *case == (name, snapshots, history));
        middle(place.unwrap_or_default()).median()
    };
    for name in ["headwater", "headwater-uncached"] {
        let (short, long) = (at(name, "100", 100), at(name, "100", 10_000));
        report.aim(
            &format!("`{name}`: 10,000 events cost at most 1.5 times 100"),
            format!("{} times", number(long / short)),
            long <= 1.5 * short,
        );
        report.aim(
            &format!("`{name}`: under 0.05 ms behind 10,000 events"),
            format!("{} ms", number(long)),
            long < 0.05,
        );
    }
    Ok(report)
}

/// W3: a read model from a million events.
pub(super) fn rebuild(programs: &Programs, folder: &Path, count: usize) -> Result<Report, String> {
    let wanted = [
        ("raw-typed", 1),
        ("raw-typed", 2),
        (BY_HAND, 1),
        (BY_HAND, 2),
        ("headwater", 1),
        ("headwater", 2),
        ("headwater-step", 1),
        ("headwater-step", 2),
        (FASTEST, 1),
        ("cqrs-es-repo", 1),
    ];
    let cases: Vec<Case> = wanted
        .iter()
        .map(|(name, threads)| case(programs, name, &format!("w3 --threads {threads}")))
        .collect();
    let lines = rounds(&cases, count, folder)?;
    let at = |name: &str, threads: i32| {
        let place = wanted.iter().position(|case| *case == (name, threads));
        lines.of(place.unwrap_or_default(), "/per_s").median()
    };
    let fastest = at(FASTEST, 1).max(at("cqrs-es-repo", 1));
    let rows: Vec<Vec<String>> = wanted
        .iter()
        .enumerate()
        .map(|(place, (name, threads))| {
            let rate = lines.of(place, "/per_s");
            vec![
                format!("`{name}`"),
                threads.to_string(),
                number(rate.median()),
                rate.range(),
                number(rate.median() / fastest),
                number(lines.of(place, "/cpu_us_per_op").median()),
                number(lines.of(place, "/rss_before_mib").median()),
                number(lines.of(place, "/extra_peak_mib").median()),
            ]
        })
        .collect();
    let mut report = Report::default();
    report.table(
        &[
            "library",
            "threads",
            "events/s",
            "range",
            "× fastest library",
            "CPU µs an event",
            "filled store, MiB",
            "peak above it, MiB",
        ],
        &rows,
    );
    for threads in [1, 2] {
        let share = at("headwater", threads) / at(BY_HAND, threads);
        report.aim(
            &format!("half of `{BY_HAND}` on as many threads ({threads})"),
            format!("{} of it", number(share)),
            share >= 0.5,
        );
    }
    let best = at("headwater", 1).max(at("headwater", 2)) / fastest;
    report.aim("3 times the fastest library", format!("{} times", number(best)), best >= 3.0);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_those_of_the_libraries() {
        let programs = Programs::new(Path::new("/w"));
        let ours = case(&programs, "headwater-step", "w3");
        assert!(ours.program.ends_with("target/release/headwater-peer"));
        let theirs = case(&programs, "eventually", "w3 --threads 2");
        assert!(theirs.program.ends_with("benches/peers/target/release/headwater-peers"));
        assert_eq!(theirs.arguments, ["w3", "--threads", "2", "--peer", "eventually"]);
    }
}
