//! A client of a running bank: opens accounts, pays in, and looks at rows.

use reqwest::Client;
use serde_json::{Value, json};

/// A client. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Teller {
    http: Client,
    server: String,
}

/// Why a bank did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// It cannot be reached.
    #[error("the bank cannot be reached")]
    Http(#[from] reqwest::Error),
    /// It refused.
    #[error("the bank answered {status} to {command} of {account}: {answer}")]
    Refused {
        /// The status.
        status: u16,
        /// The command.
        command: String,
        /// The account.
        account: String,
        /// What it said.
        answer: String,
    },
}

impl Teller {
    /// A client of the bank at an address.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self { http: Client::new(), server: server.to_owned() }
    }

    /// Opens an account.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn open(&self, account: &str) -> Result<(), Failed> {
        self.command(account, "open", &json!({"owner": "bench", "overdraft_limit": 0})).await
    }

    /// Pays 1 into an account.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn deposit(&self, account: &str) -> Result<(), Failed> {
        self.command(account, "deposit", &json!({"amount": 1})).await
    }

    /// How many transactions the row of an account shows; nothing when it is not there yet.
    ///
    /// # Errors
    /// [`Failed::Http`].
    pub async fn shown(&self, account: &str) -> Result<Option<u64>, Failed> {
        let url = format!("{}/v1/read-models/balances/{account}", self.server);
        let response = self.http.get(url).send().await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let row: Value = response.json().await?;
        let found = row.pointer("/data/transactions").or_else(|| row.pointer("/transactions"));
        Ok(found.and_then(Value::as_u64))
    }

    async fn command(&self, account: &str, command: &str, body: &Value) -> Result<(), Failed> {
        let url = format!("{}/v1/streams/account/{account}/commands/{command}", self.server);
        let response = self.http.post(url).json(body).send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let (command, account) = (command.to_owned(), account.to_owned());
        Err(Failed::Refused { status: status.as_u16(), command, account, answer: response.text().await? })
    }
}
