//! W6: the whole path, from a command over HTTP to its row.

use super::build::Programs;
use super::case::Case;
use super::figures::Figures;
use super::report::{Report, number};
use super::server::Server;

/// Seconds of each part: as fast as it goes, and at half of that.
const SECONDS: u32 = 8;

/// Measures `dev` with its files in a folder.
pub(super) fn latency(programs: &Programs, folder: &std::path::Path) -> Result<Report, String> {
    let data = folder.join("data");
    let _absent = std::fs::remove_dir_all(&data);
    let data_dir = data.display().to_string();
    let mut lines = Vec::new();
    let kinds: [(&str, Vec<&str>); 2] = [
        ("`dev`, nothing kept", vec!["dev", "--port", "0"]),
        ("`dev --data-dir`", vec!["dev", "--port", "0", "--data-dir", &data_dir]),
    ];
    for (name, arguments) in &kinds {
        println!("  {name}");
        let server = Server::start(&programs.ours("bank"), arguments)?;
        let asked = format!("latency --server {} --seconds {SECONDS}", server.url);
        lines.push(Case::new(*name, programs.ours("headwater-figures"), &asked).run()?);
    }
    let _absent = std::fs::remove_dir_all(&data);
    let mut report = Report::default();
    let mut rows = Vec::new();
    for ((name, _), lines) in kinds.iter().zip(&lines) {
        let value = |place: &str| Figures::of(lines, place).median();
        let pair = |what: &str| {
            let at = |share: &str| number(value(&format!("/{what}/{share}_ms")));
            format!("{} / {}", at("p50"), at("p99"))
        };
        rows.push(vec![
            (*name).to_owned(),
            number(value("/acknowledged_per_second")),
            number(value("/sustained_per_second")),
            number(value("/paced_per_second")),
            pair("acknowledged"),
            pair("visible"),
            number(value("/samples")),
        ]);
        report.aim(
            &format!("{name}: rows visible within 300 ms (p99) at half of the sustained rate"),
            format!("{} ms", number(value("/visible/p99_ms"))),
            value("/visible/p99_ms") <= 300.0,
        );
    }
    report.table(
        &[
            "server",
            "acknowledged, events/s",
            "sustained until visible, events/s",
            "then paced at, events/s",
            "acknowledged after, p50 / p99 ms",
            "visible after the answer, p50 / p99 ms",
            "samples",
        ],
        &rows,
    );
    Ok(report)
}
