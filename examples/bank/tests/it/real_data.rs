//! The real data, from the CSV to the read models, through the binary as a user runs it.
//!
//! What must come out is folded here from the CSV with a few lines of its own, not with the framework.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long rows may take to be those of a fold: far longer than they take, also on a machine that does other work.
const PATIENCE: Duration = Duration::from_secs(240);

/// A bank in this process, on a free port of loopback.
pub(crate) struct Bank {
    url: String,
}

impl Bank {
    pub(crate) async fn start() -> Self {
        let (router, runner) = bank::app().in_memory().unwrap();
        tokio::spawn(runner.run(std::future::pending::<()>()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

#[derive(Default, PartialEq, Eq, Debug, Clone, Copy)]
pub(crate) struct Day {
    deposited: i64,
    deposits: u64,
    withdrawn: i64,
    withdrawals: u64,
}

/// Balances and transactions per account, and totals per day, straight from the CSV.
pub(crate) fn fold() -> (BTreeMap<String, (i64, u64)>, BTreeMap<String, Day>) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(data()).unwrap()).read_to_string(&mut text).unwrap();
    let (mut accounts, mut days) = (BTreeMap::new(), BTreeMap::new());
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let (account, date, kind) = (fields[1].to_owned(), fields[2].to_owned(), fields[3]);
        let amount: i64 = fields[5].parse().unwrap();
        let entry: &mut (i64, u64) = accounts.entry(account).or_default();
        let day: &mut Day = days.entry(date).or_default();
        entry.1 += 1;
        if kind == "credit" {
            entry.0 += amount;
            day.deposited += amount;
            day.deposits += 1;
        } else {
            entry.0 -= amount;
            day.withdrawn += amount;
            day.withdrawals += 1;
        }
    }
    (accounts, days)
}

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/bank-transactions.csv.gz")
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bank")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The commands of the real data, in a file.
pub(crate) fn commands(scratch: &Scratch) -> String {
    let converted = run(&["convert", data().to_str().unwrap()]);
    assert!(converted.status.success());
    let file = scratch.path("bank.ndjson");
    std::fs::write(&file, &converted.stdout).unwrap();
    file
}

/// A directory for one test, removed after it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("headwater-bank-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(crate) fn summary(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn get(client: &reqwest::Client, url: String) -> Value {
    client.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_data_ends_in_exact_balances_and_totals_and_a_second_import_changes_nothing() {
    let bank = Bank::start().await;
    let scratch = Scratch::new("real-data");
    let import = {
        let (file, url) = (commands(&scratch), bank.url(""));
        move || {
            let (file, url) = (file.clone(), url.clone());
            tokio::task::spawn_blocking(move || summary(&run(&["import", &file, "--server", &url])))
        }
    };

    let first = import().await.unwrap();
    assert!(first.contains("50,331 carried out, 0 already there, 0 refused"), "{first}");
    let client = reqwest::Client::new();
    let (accounts, days) = fold();
    assert_eq!((accounts.len(), accounts.values().map(|(_, count)| count).sum::<u64>()), (1_229, 49_102));
    exact(&bank.url(""), &client, &accounts, &days).await;

    let second = import().await.unwrap();
    assert!(second.contains("0 carried out, 50,331 already there, 0 refused"), "{second}");
    exact(&bank.url(""), &client, &accounts, &days).await;
}

/// Compares every row with the fold, once the runner has caught up.
pub(crate) async fn exact(
    bank: &str,
    client: &reqwest::Client,
    accounts: &BTreeMap<String, (i64, u64)>,
    days: &BTreeMap<String, Day>,
) {
    let deadline = Instant::now() + PATIENCE;
    for (account, (balance, transactions)) in accounts {
        let url = format!("{bank}/v1/read-models/balances/{account}");
        let mut row = get(client, url.clone()).await;
        // One event opens the account.
        while row["version"].as_u64() < Some(transactions + 1) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
            row = get(client, url.clone()).await;
        }
        assert_eq!(row["version"], transactions + 1, "{row}");
        assert_eq!(
            (row["data"]["balance"].as_i64(), row["data"]["transactions"].as_u64()),
            (Some(*balance), Some(*transactions)),
            "{row}"
        );
    }
    for (date, day) in days {
        let url = format!("{bank}/v1/read-models/daily-totals/{date}");
        loop {
            let row = get(client, url.clone()).await;
            let data = &row["data"];
            let got = Day {
                deposited: data["deposited"].as_i64().unwrap_or_default(),
                deposits: data["deposits"].as_u64().unwrap_or_default(),
                withdrawn: data["withdrawn"].as_i64().unwrap_or_default(),
                withdrawals: data["withdrawals"].as_u64().unwrap_or_default(),
            };
            if got == *day {
                break;
            }
            assert!(Instant::now() < deadline, "{date}: expected {day:?}, got {row}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_keyed_commands_than_a_stream_remembers_are_refused() {
    let bank = Bank::start().await;
    let open =
        r#"{"stream":"account/1","command":"open","data":{"owner":"ada","overdraft_limit":0},"key":"0"}"#;
    let deposits = (1..1_100).map(|key| {
        format!(r#"{{"stream":"account/1","command":"deposit","data":{{"amount":1}},"key":"{key}"}}"#)
    });
    let lines: Vec<String> = std::iter::once(open.to_owned()).chain(deposits).collect();
    let file = std::env::temp_dir().join(format!("headwater-bank-many-{}.ndjson", std::process::id()));
    std::fs::write(&file, lines.join("\n")).unwrap();
    let client = reqwest::Client::new();
    for _ in 0..2 {
        let (file, url) = (file.clone(), bank.url(""));
        let import = move || run(&["import", file.to_str().unwrap(), "--server", &url]);
        let output = tokio::task::spawn_blocking(import).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("line 1025 is one keyed command too many for account/1"), "{said}");
        // What came before is carried out once, however often it is sent.
        let state = get(&client, bank.url("/v1/streams/account/1/state")).await;
        assert_eq!(state["data"]["balance"], 1_023);
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn what_is_wrong_on_the_command_line_is_named() {
    let cases: [(&[&str], i32, &str); 6] = [
        (&["convert", "/nowhere.csv"], 1, "cannot be opened"),
        (&["import", "/nowhere.ndjson"], 2, "cannot be read"),
        (&["import", env!("CARGO_MANIFEST_PATH")], 2, "line 1 is not a command"),
        (&["dev", "--port", "x"], 2, "invalid value"),
        (&["dev", "--port", "0", "--data-dir", "/dev/null"], 1, "/dev/null"),
        (&["sever"], 2, "unrecognized subcommand"),
    ];
    for (arguments, code, says) in cases {
        let output = run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}
