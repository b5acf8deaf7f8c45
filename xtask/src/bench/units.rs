//! W4: requests and capacity units of the command path on DynamoDB, counted on the look-alike.

use serde_json::Value;

use super::build::Programs;
use super::case::Case;
use super::figures::value;
use super::report::{Report, number};
use super::server::Server;

/// Lengths of the streams of dynamo-es.
const LENGTHS: [u32; 4] = [1, 10, 100, 1_000];

/// What a command uses, for W7.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Units {
    pub(super) read: f64,
    pub(super) write: f64,
    /// Records of the feed.
    pub(super) records: f64,
    /// Write units of a row, an event.
    pub(super) row: f64,
}

/// The most of each that was counted: Headwater's cached and not cached, and dynamo-es at 1,000 events.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) cached: Units,
    pub(super) not_cached: Units,
    pub(super) dynamo_short: Units,
    pub(super) dynamo_long: Units,
}

/// Counts; also what W7 needs.
pub(super) fn count(programs: &Programs) -> Result<(Report, Counted), String> {
    println!("  headwater");
    let lines = Case::new("units", programs.ours("headwater-figures"), "units").run()?;
    let (mut rows, mut counted) = (Vec::new(), Counted::default());
    let of_rows: Vec<&Value> = lines.iter().filter(|line| line.get("rows").is_some()).collect();
    let row = of_rows.iter().map(|line| value(line, "/write_units_of_rows")).fold(0.0, f64::max);
    let mut background: f64 = 0.0;
    for line in lines.iter().filter(|line| line.get("length").is_some()) {
        let state = line.get("state").and_then(Value::as_str).unwrap_or_default();
        rows.push(vec![
            format!("headwater, {state}"),
            "every 100".to_owned(),
            number(value(line, "/length")),
            number(value(line, "/requests")),
            number(value(line, "/read_units")),
            number(value(line, "/write_units")),
            number(value(line, "/records")),
        ]);
        let most = if state == "cached" { &mut counted.cached } else { &mut counted.not_cached };
        most.read = most.read.max(value(line, "/read_units"));
        most.write = most.write.max(value(line, "/write_units"));
        most.records = most.records.max(value(line, "/records"));
        most.row = row;
        background = background.max(value(line, "/background_write_units_per_second"));
    }
    let requests = |state: &str| {
        let lines = lines.iter().filter(|line| line.get("state").and_then(Value::as_str) == Some(state));
        lines.map(|line| value(line, "/requests")).fold(0.0, f64::max)
    };
    for (snapshots, said) in [("none", "none"), ("10", "every 10"), ("aggregate", "the state beside")] {
        println!("  dynamo-es, snapshots {snapshots}");
        for length in LENGTHS {
            let line = dynamo(programs, snapshots, length)?;
            let units = Units {
                read: value(&line, "/read_units"),
                write: value(&line, "/write_units"),
                ..Units::default()
            };
            rows.push(vec![
                "dynamo-es".to_owned(),
                said.to_owned(),
                number(f64::from(length)),
                number(value(&line, "/requests")),
                number(units.read),
                number(units.write),
                "0".to_owned(),
            ]);
            match (snapshots, length) {
                ("none", 10) => counted.dynamo_short = units,
                ("none", 1_000) => counted.dynamo_long = units,
                _ => {}
            }
        }
    }
    let mut report = Report::default();
    report.table(
        &[
            "library",
            "snapshots",
            "events of the stream",
            "requests",
            "read units",
            "write units",
            "records published",
        ],
        &rows,
    );
    let lines = of_rows.iter().map(|line| {
        let how = line.get("rows").and_then(Value::as_str).unwrap_or_default();
        vec![
            format!("events {how}"),
            number(value(line, "/write_units_of_ledger")),
            number(value(line, "/write_units_of_rows")),
        ]
    });
    report.table(
        &["with one read model", "write units of the ledger, an event", "write units of its row, an event"],
        &lines.collect::<Vec<_>>(),
    );
    report.say(format!(
        "Beside the commands, whatever their number: marks of the outbox, up to {} write units a second while there are \
         commands.",
        number(background)
    ));
    aims(&mut report, &counted, requests("cached"), requests("not cached"));
    Ok((report, counted))
}

fn aims(report: &mut Report, counted: &Counted, cached: f64, not_cached: f64) {
    let same = |one: f64, other: f64| (one - other).abs() < 0.01;
    report.aim(
        "cached: one write and no read, at any length",
        format!("{} requests, {} read units", number(cached), number(counted.cached.read)),
        same(cached, 1.0) && same(counted.cached.read, 0.0),
    );
    report.aim(
        "not cached: one read and one write, at any length",
        format!("{} requests", number(not_cached)),
        same(not_cached, 2.0),
    );
    report.aim(
        "cached: at most 2 write units, publication included",
        format!("{} write units", number(counted.cached.write)),
        counted.cached.write < 2.01,
    );
    let all = counted.cached.write + counted.cached.row;
    report.aim("with one read model: 3 write units", format!("{} write units", number(all)), all < 3.01);
}

fn dynamo(programs: &Programs, snapshots: &str, length: u32) -> Result<Value, String> {
    // Another look-alike for each, so that it holds nothing but what it is asked about.
    let look_alike = Server::start(&programs.ours("headwater-figures"), &["look-alike"])?;
    let asked = format!("--endpoint {} --snapshots {snapshots} --length {length}", look_alike.url);
    let lines = Case::new("dynamo-es", programs.dynamo(), &asked).run()?;
    lines.into_iter().next().ok_or_else(|| "dynamo-es says nothing".to_owned())
}
