//! Clients that ask, ask again under the same key until they are answered, and write down what they were told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::history::{Entry, Outcome};
use super::proxy::Weather;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub(crate) struct Clients {
    http: reqwest::Client,
    /// Where the servers are; one that is being started is not.
    pub(crate) servers: Arc<Mutex<Vec<String>>>,
    pub(crate) chance: Weather,
    pub(crate) accounts: u64,
}

impl Clients {
    pub(crate) fn new(accounts: u64) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { http, servers: Arc::default(), chance: Weather::default(), accounts }
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    fn server(&self) -> Option<String> {
        let servers = self.servers.lock().unwrap();
        let at = self.chance.below(servers.len() as u64) as usize;
        servers.get(at).cloned()
    }

    /// Asks until there is an answer, of whichever server, or the time is over.
    pub(crate) async fn ask(
        &self,
        account: u64,
        command: &str,
        data: &Value,
        key: &str,
        until: Instant,
    ) -> Outcome {
        while Instant::now() < until {
            if let Some(server) = self.server() {
                let url = format!("{server}/v1/streams/account/chaos-{account}/commands/{command}");
                let request = self.http.post(url).header("idempotency-key", key).json(data);
                if let Ok(answer) = request.send().await {
                    let version = answer.headers().get("stream-version").or(answer.headers().get("etag"));
                    let version =
                        version.and_then(|version| version.to_str().ok()?.trim_matches('"').parse().ok());
                    match (answer.status().as_u16(), version) {
                        (200 | 201, Some(version)) => return Outcome::Done(version),
                        (422, _) => return Outcome::Refused,
                        (409 | 500.., _) => {}
                        (status, _) => panic!("{command}: {status} {:?}", answer.text().await),
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Outcome::Unknown
    }

    /// One client: command after command until the time is over. What it is told must never go back.
    pub(crate) async fn work(self, number: u64, end: Instant, last: Instant) -> Vec<Entry> {
        let mut history = Vec::new();
        let mut seen = vec![0; self.accounts as usize];
        for turn in 0_u64.. {
            if Instant::now() >= end {
                break;
            }
            let account = self.chance.below(self.accounts);
            let name = format!("client-{number}-{turn}");
            let (command, amount) = match self.chance.below(10) {
                0..=5 => ("deposit", 1 + self.chance.below(1_000)),
                6..=8 => ("withdraw", 1 + self.chance.below(1_000)),
                _ => ("withdraw", 1_000_000_000),
            };
            let data = json!({"amount": amount, "purpose": name});
            let outcome = self.ask(account, command, &data, &name, last).await;
            if let Outcome::Done(version) = outcome {
                let before = std::mem::replace(&mut seen[account as usize], version);
                assert!(version > before, "{name} is version {version} of {account}, after {before}");
                self.reads_its_own(account, version).await;
            }
            history.push(Entry { name, account, outcome });
        }
        history
    }

    /// Whoever was told a version finds it, wherever it looks.
    async fn reads_its_own(&self, account: u64, version: u64) {
        let Some(server) = self.server() else { return };
        let url = format!("{server}/v1/streams/account/chaos-{account}/state");
        let Ok(answer) = self.http.get(url).send().await else { return };
        if answer.status() == 200
            && let Ok(state) = answer.json::<Value>().await
        {
            let found = state["version"].as_u64().unwrap();
            assert!(found >= version, "account {account} was told to have {version} and shows {found}");
        }
    }
}
