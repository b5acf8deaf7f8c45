//! The archive of the real data, read by a program that knows nothing of Headwater, and a ledger brought back from it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Dev;
use crate::real_data::{Scratch, commands, exact, fold, run, summary};

/// How long the last commits may take to come into their files, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the variable says; without it the test cannot say anything.
fn duckdb() -> OsString {
    std::env::var_os("HEADWATER_DUCKDB").unwrap_or_else(|| {
        panic!(
            "HEADWATER_DUCKDB names no Python with DuckDB: run `cargo xtask test`, or the line that `cargo xtask \
             lookalikes` prints"
        )
    })
}

/// What DuckDB reads out of the files.
fn read(files: &Path, account: &str) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/archive.duckdb.py");
    let output =
        Command::new(duckdb()).arg(script).arg(files.join("*/*.parquet")).arg(account).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command of the ledger ends with, and what it prints.
fn ledger(what: &str, dev: &Dev) -> (Option<i32>, Value, String) {
    let port = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
    let output = run(&["ledger", what, &port, "--output", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

/// Waits until ledger and archive hold the same.
fn until_archived(dev: &Dev) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ledger("verify", dev) {
            (Some(0), data, _) => return data,
            (code, data, said) => {
                assert!(code == Some(7) && Instant::now() < deadline, "{code:?} {data} {said}");
            }
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The folder of a directory, and all it holds.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_of_the_real_data_has_the_sums_of_the_csv_and_brings_a_lost_ledger_back() {
    let scratch = Scratch::new("archive");
    let (data, file) = (scratch.path("data"), commands(&scratch));
    let dev = Dev::start(&["--data-dir", &data]);
    summary(&run(&["import", &file, "--server", &dev.url]));
    let verified = until_archived(&dev);
    assert_eq!((&verified["streams"], &verified["commits"]), (&1_229.into(), &50_331.into()), "{verified}");

    // The sums of the CSV.
    let (accounts, days) = fold();
    let some = accounts.keys().next().unwrap().clone();
    let read = read(&PathBuf::from(&data).join("s3/bank-archive/bank/v1"), &some);
    let found: BTreeMap<String, (i64, u64, u64, u64)> =
        serde_json::from_value(read["accounts"].clone()).unwrap();
    let expected = accounts.iter().map(|(id, (balance, transactions))| {
        // One event opens the account; versions have no hole.
        (id.clone(), (*balance, *transactions, transactions + 1, transactions + 1))
    });
    assert_eq!(found, expected.collect());
    assert_eq!(found.values().map(|account| account.1).sum::<u64>(), 49_102);
    assert_eq!(read["misplaced"], 0);

    // One account, row by row as the ledger has it.
    let client = reqwest::Client::new();
    let url = format!("{}/v1/streams/account/{some}/events?limit=1000", dev.url);
    let page: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    let stored = page["events"].as_array().unwrap_or_else(|| panic!("{page}"));
    let rows = read["rows"].as_array().unwrap();
    assert_eq!(rows.len(), stored.len());
    for (row, event) in rows.iter().zip(stored) {
        assert_eq!((&row[0], &row[1]), (&event["version"], &event["type"]), "{event}");
        let payload: Value = serde_json::from_str(row[3].as_str().unwrap()).unwrap();
        assert_eq!(payload, event["data"], "{event}");
    }

    // The tables are gone; the bucket is not.
    assert_eq!(dev.terminate().0, Some(0));
    let fresh = scratch.path("fresh");
    copy(&PathBuf::from(&data).join("s3"), &PathBuf::from(&fresh).join("s3"));
    let dev = Dev::start(&["--data-dir", &fresh]);
    let (code, data, said) = ledger("restore", &dev);
    assert_eq!(
        (code, &data["restored_commits"], &data["streams_that_differ"]),
        (Some(0), &50_331.into(), &0.into()),
        "{said}"
    );
    exact(&dev.url, &client, &accounts, &days).await;
    let (code, _, said) = ledger("restore", &dev);
    assert!(code == Some(1) && said.contains("is not empty"), "{said}");
}
