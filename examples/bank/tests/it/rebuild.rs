//! `bank backfill` beside a running `bank dev`: during an import, killed and taken up again, gone back from, dropped.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::process::Dev;
use crate::real_data::{Scratch, commands, exact, fold, run, summary};

pub(crate) fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Asks for a row all the time: it is there, and never older than it was. Ends with the generations that answered.
pub(crate) fn watch(dev: &Dev, account: &str, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Vec<String>> {
    let url = format!("{}/v1/read-models/balances/{account}", dev.url);
    tokio::spawn(async move {
        let client = reqwest::Client::new();
        let (mut seen, mut generations) = (0, Vec::<String>::new());
        while !stop.load(Ordering::Relaxed) {
            let answer = client.get(&url).send().await.unwrap();
            assert_eq!(answer.status(), 200, "no query fails");
            let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
            let generation = tag.trim_start_matches('"').split('.').next().unwrap().to_owned();
            let row: Value = answer.json().await.unwrap();
            let version = row["version"].as_u64().unwrap();
            assert!(version >= seen, "{generation}: {seen} became {version}");
            seen = version;
            if generations.last() != Some(&generation) {
                generations.push(generation);
            }
        }
        generations
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_during_an_import_is_exact_and_no_query_fails_over_switch_rollback_and_drop() {
    let scratch = Scratch::new("rebuild");
    let file = commands(&scratch);
    let lines: Vec<String> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let halves = [scratch.path("first.ndjson"), scratch.path("second.ndjson")];
    std::fs::write(&halves[0], first.join("\n")).unwrap();
    std::fs::write(&halves[1], second.join("\n")).unwrap();
    let dev = Dev::start(&[]);
    let at = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
    let client = reqwest::Client::new();
    summary(&run(&["import", &halves[0], "--server", &dev.url]));

    // The account of the last line: it goes on being used.
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    let account = line["stream"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let url = format!("{}/v1/read-models/balances/{account}", dev.url);
    while client.get(&url).send().await.unwrap().status() != 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let watching = watch(&dev, &account, Arc::clone(&stop));
    let mut import = start(&["import", &halves[1], "--server", &dev.url]);

    // One that is killed in the middle is taken up by the same command.
    let mut killed = start(&["backfill", "balances", &at, "--memory", "1MiB"]);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let built = summary(&run(&["backfill", "balances", &at, "--memory", "2MiB", "--verify", "all"]));
    assert!(built.contains("generation 2 is live"), "{built}");
    let built = summary(&run(&["backfill", "daily-totals", &at, "--output", "json"]));
    let built: Value = serde_json::from_str(&built).unwrap();
    assert_eq!((&built["live"], &built["generation"]), (&Value::Bool(true), &Value::from(2)));
    assert!(import.wait().unwrap().success());
    let (accounts, days) = fold();
    exact(&dev.url, &client, &accounts, &days).await;

    let said = summary(&run(&["projections", "rollback", "balances", &at, "--output", "json"]));
    let said: Vec<Value> = serde_json::from_str(&said).unwrap();
    let live: Vec<_> = said.iter().filter(|row| row["live"] == true).map(|row| &row["generation"]).collect();
    assert_eq!(live, [&Value::from(1)]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    exact(&dev.url, &client, &accounts, &days).await;
    summary(&run(&["projections", "promote", "balances", "2", &at]));
    let refused = run(&["projections", "drop", "balances", "1", &at]);
    assert_eq!(refused.status.code(), Some(2), "without a terminal it has to be meant");
    summary(&run(&["projections", "drop", "balances", "1", "--yes", &at]));
    let live = run(&["projections", "drop", "balances", "2", "--yes", &at]);
    assert_eq!(live.status.code(), Some(6), "{}", String::from_utf8_lossy(&live.stderr));
    let listed = summary(&run(&["projections", "generations", &at, "--output", "json"]));
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let of_balances = |row: &&Value| row["projection"] == "balances";
    let balances: Vec<_> =
        listed.iter().filter(of_balances).map(|row| (&row["generation"], &row["live"])).collect();
    assert_eq!(balances, [(&Value::from(2), &Value::Bool(true))]);
    exact(&dev.url, &client, &accounts, &days).await;
    stop.store(true, Ordering::Relaxed);
    assert_eq!(watching.await.unwrap(), ["g1", "g2", "g1", "g2"]);
}
