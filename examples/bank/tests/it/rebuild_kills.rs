//! `bank backfill` and the server it works beside, killed at one moment after the other. The same command goes on, and
//! what it ends with is exact.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::process::Dev;
use crate::real_data::{Scratch, commands, run, summary};
use crate::rebuild_archive::{exact, fold};

/// Lines of the real data that are imported.
const LINES: usize = 2_500;

fn begin(at: &str, source: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
    command.args(["backfill", "balances", at, "--memory", "1MiB", "--verify", "all", "--source", source]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_and_its_server_killed_at_several_points_end_exact_by_the_same_command() {
    let scratch = Scratch::new("rebuild-kills");
    let (data, file) = (scratch.path("data"), commands(&scratch));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    std::fs::write(scratch.path("some.ndjson"), lines.join("\n")).unwrap();
    let mut dev = Dev::start(&["--data-dir", &data]);
    summary(&run(&["import", &scratch.path("some.ndjson"), "--server", &dev.url]));
    let (client, accounts) = (reqwest::Client::new(), fold(&lines));
    let generation = |url: &str| {
        let at = format!("--dev={}", url.rsplit(':').next().unwrap());
        let listed = summary(&run(&["projections", "generations", &at, "--output", "json"]));
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        let of_balances = listed.iter().filter(|row| row["projection"] == "balances");
        of_balances.map(|row| (row["generation"].as_u64().unwrap(), row["live"] == true)).collect::<Vec<_>>()
    };

    // While it connects, reads, folds, writes, compares and waits: on any machine one of them is hit.
    for milliseconds in [50, 300, 700, 1_200, 2_000] {
        let at = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
        let mut killed = begin(&at, "ledger");
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        let live: Vec<_> = generation(&dev.url).into_iter().filter(|(_, live)| *live).collect();
        assert_eq!(live, [(1, true)], "nothing was switched");
    }
    // The server dies under a backfill, which cannot go on then, and comes back on the same data.
    let at = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
    let mut orphaned = begin(&at, "ledger");
    tokio::time::sleep(Duration::from_millis(500)).await;
    dev.kill();
    orphaned.kill().unwrap();
    orphaned.wait().unwrap();
    dev = Dev::start(&["--data-dir", &data]);
    assert!(generation(&dev.url).contains(&(1, true)), "nothing was switched");

    let at = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
    let built = run(&["backfill", "balances", &at, "--verify", "all", "--source", "ledger"]);
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(said.contains("going on with generation 2") && built.status.success(), "{said}");
    assert_eq!(generation(&dev.url), [(1, false), (2, true)]);
    exact(&dev.url, &client, &accounts).await;
    let verified = run(&["projections", "verify", "balances", "--all", &at, "--output", "json"]);
    let verified: Value = serde_json::from_str(&summary(&verified)).unwrap();
    let (compared, different) = (&verified["verified"]["compared"], &verified["verified"]["different"]);
    assert_eq!((compared, different), (&accounts.len().into(), &0.into()), "{verified}");
    summary(&run(&["projections", "drop", "balances", "1", "--yes", &at]));
}
