//! The latency of a running bank, one command at a time: until it is acknowledged, and until its row shows it.
//!
//! ```sh
//! cargo run --release -p bank -- dev
//! cargo run --release -p headwater-benches --bin ack-to-row -- --server http://127.0.0.1:8080
//! ```

#![expect(clippy::print_stdout, reason = "this is the command line")]

use std::time::{Duration, Instant};

use clap::{Arg, Command, value_parser};
use serde_json::{Value, json};

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the bank cannot be reached")]
    Http(#[from] reqwest::Error),
    #[error("the bank answered {status} to {what}")]
    Status { status: u16, what: String },
    #[error("the row did not show the deposit within {0:?}")]
    Never(Duration),
}

/// How long a row may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Command::new("ack-to-row")
        .about("Measures how long a command takes to be acknowledged, and then to be visible in a read model")
        .arg(
            Arg::new("server")
                .long("server")
                .default_value("http://127.0.0.1:8080")
                .help("The address of a bank"),
        )
        .arg(
            Arg::new("deposits")
                .long("deposits")
                .default_value("400")
                .value_parser(value_parser!(u32).range(1..))
                .help("How many deposits are made, one after the other"),
        )
        .get_matches();
    let server: &String = arguments.get_one("server").expect("it has a default");
    let deposits: u32 = *arguments.get_one("deposits").expect("it has a default");
    let client = reqwest::Client::new();
    let account = format!("latency-{}", std::process::id());
    let command = |name: &str| format!("{server}/v1/streams/account/{account}/commands/{name}");
    post(&client, &command("open"), &json!({"owner": "bench", "overdraft_limit": 0})).await?;
    let row = format!("{server}/v1/read-models/balances/{account}");
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for deposit in 1..=deposits {
        let begun = Instant::now();
        post(&client, &command("deposit"), &json!({"amount": 1})).await?;
        acknowledged.push(begun.elapsed());
        let answered = Instant::now();
        while !shows(&client, &row, deposit).await? {
            if answered.elapsed() > PATIENCE {
                return Err(Failed::Never(PATIENCE));
            }
        }
        visible.push(answered.elapsed());
    }
    for (what, times) in
        [("acknowledged after", &mut acknowledged), ("visible after the answer", &mut visible)]
    {
        times.sort_unstable();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
        println!(
            "{what}: p50 {:?}, p99 {:?}",
            at(50).copied().unwrap_or_default(),
            at(99).copied().unwrap_or_default()
        );
    }
    Ok(())
}

async fn post(client: &reqwest::Client, url: &str, body: &Value) -> Result<(), Failed> {
    let response = client.post(url).json(body).send().await?;
    let status = response.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(Failed::Status { status: status.as_u16(), what: url.to_owned() })
    }
}

/// Whether the row has this many transactions.
async fn shows(client: &reqwest::Client, row: &str, deposits: u32) -> Result<bool, Failed> {
    let response = client.get(row).send().await?;
    if response.status().as_u16() == 404 {
        return Ok(false);
    }
    let row: Value = response.json().await?;
    let transactions = row.pointer("/data/transactions").or_else(|| row.pointer("/transactions"));
    Ok(transactions.and_then(Value::as_u64) == Some(u64::from(deposits)))
}
