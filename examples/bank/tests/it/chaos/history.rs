//! What clients were answered, and whether the ledger says the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a client asked for and was answered in the end.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name, which is also the purpose that its event has.
    pub(crate) name: String,
    pub(crate) account: u64,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Carried out, as this version of the account.
    Done(u64),
    Refused,
    /// Nobody knows: no answer came until the end.
    Unknown,
}

/// How long the read model may take to follow.
const PATIENCE: Duration = Duration::from_secs(90);

/// Every event of an account.
async fn events(client: &reqwest::Client, url: &str, account: u64) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let from = events.len() + 1;
        let page = format!("{url}/v1/streams/account/chaos-{account}/events?from={from}&limit=1000");
        let answer = client.get(page).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        let page = page["events"].as_array().expect("a page has events").clone();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// Checks that what was acknowledged is in the ledger once and where it was said to be, that what was refused is not, and
/// that the versions are 1..n; then that the balances come to be a plain fold of the events.
pub(crate) async fn check(client: &reqwest::Client, url: &str, accounts: u64, history: &[Entry]) {
    let mut places: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    let mut balances = BTreeMap::new();
    for account in 0..accounts {
        let mut balance = 0;
        for (event, version) in events(client, url, account).await.iter().zip(1_u64..) {
            assert_eq!(event["version"], version, "account {account} has a hole or an overlap");
            let amount = event["data"]["amount"].as_i64().unwrap_or(0);
            balance += if event["type"] == "Withdrawn" { -amount } else { amount };
            if let Some(name) = event["data"]["purpose"].as_str() {
                places.entry(name.to_owned()).or_default().push((account, version));
            }
        }
        balances.insert(account, balance);
    }
    for Entry { name, account, outcome } in history {
        let found = places.remove(name).unwrap_or_default();
        match outcome {
            Outcome::Done(version) => assert_eq!(found, [(*account, *version)], "{name} was acknowledged"),
            Outcome::Refused => assert!(found.is_empty(), "{name} was refused and is at {found:?}"),
            Outcome::Unknown => assert!(found.len() <= 1, "{name} is there several times: {found:?}"),
        }
    }
    assert!(places.is_empty(), "nobody asked for {places:?}");
    let deadline = Instant::now() + PATIENCE;
    for (account, balance) in balances {
        loop {
            let row =
                client.get(format!("{url}/v1/read-models/balances/chaos-{account}")).send().await.unwrap();
            let row: Value = row.json().await.unwrap();
            if row["data"]["balance"] == balance {
                break;
            }
            assert!(Instant::now() < deadline, "account {account} is to have {balance}, its row is {row}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
