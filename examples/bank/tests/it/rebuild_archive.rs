//! `bank backfill` out of the archive: whole, and with a file gone, one cut short and one corrupt.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Dev;
use crate::real_data::{Scratch, commands, run, summary};

/// Lines of the real data that are imported.
const LINES: usize = 6_000;

/// How long the last commits may take to come into their files, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// The files of the archive, those of a partition in their order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|ending| ending == "parquet") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// Balance and transactions of each account, straight from the lines.
pub(crate) fn fold(lines: &[&str]) -> BTreeMap<String, (i64, u64)> {
    let mut accounts = BTreeMap::<String, (i64, u64)>::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        let account = line["stream"].as_str().unwrap().split_once('/').unwrap().1;
        let (balance, transactions) = accounts.entry(account.to_owned()).or_default();
        let amount = || line["data"]["amount"].as_i64().unwrap();
        match line["command"].as_str().unwrap() {
            "open" => continue,
            "deposit" => *balance += amount(),
            "withdraw" => *balance -= amount(),
            other => panic!("{other}"),
        }
        *transactions += 1;
    }
    accounts
}

/// Every row is what the lines give.
pub(crate) async fn exact(url: &str, client: &reqwest::Client, accounts: &BTreeMap<String, (i64, u64)>) {
    for (account, (balance, transactions)) in accounts {
        let row = client.get(format!("{url}/v1/read-models/balances/{account}")).send().await.unwrap();
        let row: Value = row.json().await.unwrap();
        let got = (row["data"]["balance"].as_i64(), row["data"]["transactions"].as_u64());
        assert_eq!(got, (Some(*balance), Some(*transactions)), "{row}");
    }
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_from_the_archive_is_exact_and_what_is_broken_in_it_is_named_and_filled_from_the_ledger() {
    let scratch = Scratch::new("rebuild-archive");
    let (data, file) = (scratch.path("data"), commands(&scratch));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    let dev = Dev::start(&["--data-dir", &data]);
    let at = format!("--dev={}", dev.url.rsplit(':').next().unwrap());
    let empty = run(&["backfill", "balances", "--source", "archive", "--dry-run", &at]);
    let said = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(empty.status.code() == Some(2) && said.contains("the archive has no files"), "{said}");
    let unsaid = run(&["backfill", "balances", "--dry-run", &at]);
    assert!(String::from_utf8_lossy(&unsaid.stderr).contains("reading the ledger"));

    // Some files for each partition: what is imported between two looks lies in files of its own.
    for (number, some) in lines.chunks(LINES / 3).enumerate() {
        let part = scratch.path(&format!("part-{number}.ndjson"));
        std::fs::write(&part, some.join("\n")).unwrap();
        summary(&run(&["import", &part, "--server", &dev.url]));
        let deadline = Instant::now() + PATIENCE;
        while run(&["ledger", "verify", &at]).status.code() != Some(0) {
            assert!(Instant::now() < deadline, "it is not archived");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    let client = reqwest::Client::new();
    let accounts = fold(&lines);

    let whole = run(&["backfill", "balances", &at, "--verify", "all", "--output", "json"]);
    let said = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert!(said.contains("reading the archive") && !said.contains("damaged"), "{said}");
    let built: Value = serde_json::from_str(&summary(&whole)).unwrap();
    assert_eq!(built["progress"]["events"], LINES, "every event was read once, in the archive: {built}");
    exact(&dev.url, &client, &accounts).await;

    let files = files(&PathBuf::from(&data).join("s3/bank-archive/bank/v1"));
    assert!(files.len() > 6, "{files:?}");
    let (gone, short, corrupt) = (&files[1], &files[3], &files[5]);
    std::fs::remove_file(gone).unwrap();
    let bytes = std::fs::read(short).unwrap();
    std::fs::write(short, &bytes[..bytes.len() / 2]).unwrap();
    let mut bytes = std::fs::read(corrupt).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(corrupt, &bytes).unwrap();
    let broken = run(&["backfill", "balances", &at, "--source", "archive", "--verify", "all"]);
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(broken.status.success(), "{said}");
    for file in [short, corrupt] {
        assert!(said.contains(name(file)), "{} is named in {said}", name(file));
    }
    assert!(said.contains("are missing in front of"), "{said}");
    assert!(said.contains("the whole ledger is read as well"), "{said}");
    exact(&dev.url, &client, &accounts).await;
}
