//! W8, what is kept in memory, and W9, how time and memory grow.

use serde_json::Value;

use super::build::Programs;
use super::case::Case;
use super::figures::value;
use super::report::{Report, number};
use super::server::Server;

/// W8.
pub(super) fn memory(programs: &Programs) -> Result<Report, String> {
    let lines = Case::new("memory", programs.ours("headwater-memory"), "").run()?;
    let mut rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let kept = line.get("kept").and_then(Value::as_str).unwrap_or_default();
            vec![
                kept.to_owned(),
                number(value(line, "/bytes")),
                format!("counted: {} allocations", number(value(line, "/allocations"))),
            ]
        })
        .collect();
    let server = Server::start(&programs.ours("bank"), &["dev", "--port", "0"])?;
    let asked = format!("subscriptions --server {} --process {}", server.url, server.process());
    let lines = Case::new("subscriptions", programs.ours("headwater-figures"), &asked).run()?;
    for line in &lines {
        rows.push(vec![
            "idle subscription, its connection included".to_owned(),
            number(value(line, "/bytes_per_subscription")),
            format!("memory of the process, over {}", number(value(line, "/subscriptions"))),
        ]);
    }
    let mut report = Report::default();
    report.table(&["kept", "bytes", "how it is known"], &rows);
    Ok(report)
}

/// W9.
pub(super) fn growth(programs: &Programs) -> Result<Report, String> {
    let lines = Case::new("growth", programs.ours("headwater-figures"), "growth").run()?;
    let streams: Vec<&Value> = lines.iter().filter(|line| line.get("streams").is_some()).collect();
    let events: Vec<&Value> = lines.iter().filter(|line| line.get("events").is_some()).collect();
    let mut report = Report::default();
    let rows: Vec<Vec<String>> = streams
        .iter()
        .map(|line| {
            ["/streams", "/us_per_new_stream", "/us_per_command", "/bytes_per_stream"]
                .map(|place| number(value(line, place)))
                .to_vec()
        })
        .collect();
    report.table(
        &["streams", "µs to open one", "µs a command", "bytes of the process, a stream of one event"],
        &rows,
    );
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|line| {
            let places =
                ["/events", "/cached/p50_ms", "/cached/p99_ms", "/not_cached/p50_ms", "/not_cached/p99_ms"];
            let scale = |place: &str| if place == "/events" { 1.0 } else { 1e3 };
            places.map(|place| number(value(line, place) * scale(place))).to_vec()
        })
        .collect();
    report.table(&["events of the stream", "cached: µs, p50", "p99", "not cached: µs, p50", "p99"], &rows);
    let end = |lines: &[&Value], first: bool, place: &str| {
        let line = if first { lines.first() } else { lines.last() };
        line.map_or(f64::NAN, |line| value(line, place))
    };
    let by_streams = end(&streams, false, "/us_per_command") / end(&streams, true, "/us_per_command");
    report.aim(
        "a million streams: a command costs at most 5 times one of a thousand (caches of the processor, and loading)",
        format!("{} times", number(by_streams)),
        by_streams <= 5.0,
    );
    for state in ["cached", "not_cached"] {
        let place = format!("/{state}/p50_ms");
        let of_hundred = events.get(1).map_or(f64::NAN, |line| value(line, &place));
        let growth = end(&events, false, &place) / of_hundred;
        report.aim(
            &format!(
                "100,000 events: a command costs at most 1.5 times one behind 100 ({})",
                state.replace('_', " ")
            ),
            format!("{} times", number(growth)),
            growth <= 1.5,
        );
    }
    Ok(report)
}
