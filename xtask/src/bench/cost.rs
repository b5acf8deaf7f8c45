//! W7: what the counted units cost at the prices of AWS.

use super::report::{Report, number};
use super::units::{Counted, Units};

/// DynamoDB on demand, us-east-1, since November 2024: dollars for a million units.
const WRITE: f64 = 0.625;
const READ: f64 = 0.125;
/// Kinesis on demand, us-east-1: dollars for a GB written and a GB read; a record counts as a KB at least.
const KINESIS_IN: f64 = 0.08;
const KINESIS_OUT: f64 = 0.04;
/// GB of a million records of a KB.
const GB: f64 = 1_000_000.0 / 1_048_576.0;

/// Dollars for a million commands of one small event.
fn commands(units: &Units) -> f64 {
    units.write * WRITE + units.read * READ + units.records * GB * KINESIS_IN
}

/// Dollars for a million events in a row: read from the feed once, written once.
fn projected(units: &Units) -> f64 {
    units.row * WRITE + GB * KINESIS_OUT
}

/// The table, from what W4 has counted.
pub(super) fn cost(counted: &Counted) -> Report {
    let mut rows = Vec::new();
    let mut row = |name: &str, from: &str, commands: f64, projected: Option<f64>| {
        let projected = projected.map_or_else(|| "–".to_owned(), |dollars| format!("$ {dollars:.2}"));
        rows.push(vec![name.to_owned(), from.to_owned(), format!("$ {commands:.2}"), projected]);
    };
    let Counted { cached, not_cached, dynamo_short, dynamo_long } = counted;
    row(
        "Headwater, state cached",
        "counted, publication included",
        commands(cached),
        Some(projected(cached)),
    );
    row(
        "Headwater, not cached",
        "counted, the dearest length",
        commands(not_cached),
        Some(projected(cached)),
    );
    // Its views are read and written in whole for each command, in a transaction.
    let view = 2.0 * WRITE + READ;
    row("dynamo-es, streams of 10 events", "counted; publishes nothing", commands(dynamo_short), Some(view));
    row(
        "dynamo-es, streams of 1,000 events",
        "counted; publishes nothing",
        commands(dynamo_long),
        Some(view),
    );
    row(
        "Equinox on DynamoStore",
        "published: about 17.5 write units an append of 0.5 KB",
        17.5 * WRITE,
        None,
    );
    row(
        "Akka Projection, exactly once",
        "published: about 5 write units an event",
        f64::NAN,
        Some(5.0 * WRITE),
    );
    for cells in &mut rows {
        cells.iter_mut().filter(|cell| cell.contains("NaN")).for_each(|cell| "–".clone_into(cell));
    }
    let mut report = Report::default();
    report.table(&["", "units", "a million commands", "a million projected events, one row each"], &rows);
    report.say(format!(
        "Prices: DynamoDB on demand in us-east-1, $ {WRITE} for a million write units and $ {READ} for a million read units; \
         Kinesis on demand, $ {KINESIS_IN} a GB in and $ {KINESIS_OUT} a GB out, a record counted as 1 KB. Not in it: \
         what does not depend on traffic (a stream-hour of Kinesis, $ 0.04; marks and leases, see above) and storage."
    ));
    let dearer = commands(dynamo_long) / commands(cached);
    report.aim(
        "a command costs less than with dynamo-es, which publishes nothing",
        format!(
            "$ {:.2} against $ {:.2}; at 1,000 events $ {:.2} ({} times)",
            commands(cached),
            commands(dynamo_short),
            commands(dynamo_long),
            number(dearer)
        ),
        commands(cached) < commands(dynamo_short),
    );
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_dollars() {
        let units = Units { read: 4.0, write: 2.0, records: 0.0, row: 1.0 };
        assert!((commands(&units) - 1.75).abs() < 1e-9);
        assert!((projected(&units) - (0.625 + GB * 0.04)).abs() < 1e-9);
    }
}
