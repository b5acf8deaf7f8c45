//! `bank dev --data-dir`: what was acknowledged survives `kill -9`, and a directory has one process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::Dev;
use crate::real_data::{Scratch, commands, exact, fold, run, summary};

/// What a memory of the process must stay below, for the whole import.
const MEMORY_BYTES: u64 = 200 * 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_in_the_middle_ends_in_exact_balances_after_another() {
    let scratch = Scratch::new("killed");
    let (data, file) = (scratch.path("data"), commands(&scratch));
    let dev = Dev::start(&["--data-dir", &data]);
    let client = reqwest::Client::new();

    let mut import = Command::new(env!("CARGO_BIN_EXE_bank"))
        .args(["import", &file, "--server", &dev.url])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Wait until it is under way: the first account is opened.
    let first = std::fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let url = format!("{}/v1/streams/{}/state", dev.url, first["stream"].as_str().unwrap());
    let deadline = Instant::now() + Duration::from_secs(120);
    while client.get(&url).send().await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline, "nothing is imported");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    dev.kill();
    assert!(!import.wait().unwrap().success(), "the import was over before the kill");

    let dev = Dev::start(&["--data-dir", &data]);
    let second = run(&["import", &file, "--server", &dev.url]);
    let said = summary(&second);
    assert!(said.contains(" 0 refused"), "{said}");
    let (_, counts) = said.split_once("): ").unwrap();
    let carried_out: u64 = counts.split(' ').next().unwrap().replace(',', "").parse().unwrap();
    assert!((1..50_331).contains(&carried_out), "a part was there, a part was not: {said}");
    let (accounts, days) = fold();
    exact(&dev.url, &client, &accounts, &days).await;
    let peak = dev.peak_memory_bytes();
    assert!(peak < MEMORY_BYTES, "bank dev has had {peak} bytes");

    // Not a process of its own any more: the directory says so, and to whom it belongs.
    let other = run(&["dev", "--port", "0", "--data-dir", &data]);
    let said = String::from_utf8_lossy(&other.stderr);
    assert_eq!(other.status.code(), Some(1), "{said}");
    assert!(said.contains("in use") && said.contains(&data), "{said}");
}
