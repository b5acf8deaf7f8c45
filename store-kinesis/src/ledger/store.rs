//! The ledger itself: configuration, and the operations of the trait.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use headwater::store::{Append, Appended, Capabilities, Page, Read, StoreError, Transaction};
use headwater::{EventStore, StreamName};

use super::error::Fault;
use super::heads::Heads;
use super::limits;
use super::requests::Table;
use crate::Settings;

/// How a ledger is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the names of all tables begin with; the ledger is `{prefix}-ledger`.
    pub prefix: String,
    /// Retries and timeouts.
    pub settings: Settings,
    /// Most commits of a page.
    pub page_commits: usize,
    /// Streams whose newest ends of commits are remembered.
    pub heads: usize,
    /// Whether every answer says how many capacity units it took: for measuring.
    pub report_capacity: bool,
}

impl Config {
    /// A configuration for commands.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            settings: Settings::commands(),
            page_commits: headwater::store::limits::PAGE_COMMITS,
            heads: limits::HEADS,
            report_capacity: false,
        }
    }

    /// The name of the ledger's table.
    #[must_use]
    pub fn table(&self) -> String {
        format!("{}-ledger", self.prefix)
    }
}

/// The store over DynamoDB: one table, one item for each commit.
///
/// Endpoint, region, credentials and HTTP come from the client; retries and timeouts come from the configuration. The
/// table must exist: [`tables::apply`](super::tables::apply) makes it.
///
/// # Cost
/// An append that expects a version this process knows: 1 PutItem. One that does not: 1 Query before it. A lost race: 1
/// PutItem, and the winner's commit comes with its refusal. A page: 1 Query.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) table: Table,
    pub(crate) heads: Heads,
    pub(crate) page_commits: usize,
}

impl Ledger {
    /// A ledger. Sends nothing.
    #[must_use]
    pub fn new(client: &Client, config: &Config) -> Self {
        let client = Client::from_conf(config.settings.apply(client.config().to_builder()).build());
        let capacity = config.report_capacity.then_some(ReturnConsumedCapacity::Total);
        Self {
            table: Table { client, name: config.table(), capacity },
            heads: Heads::new(config.heads),
            page_commits: config.page_commits.clamp(1, headwater::store::limits::PAGE_COMMITS),
        }
    }
}

#[async_trait]
impl EventStore for Ledger {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new("dynamodb");
        capabilities.durable = true;
        capabilities.stale_reads = true;
        capabilities.page_commits = self.page_commits;
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        Ok(self.append_one(append).await?)
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        transaction.check(&self.capabilities())?;
        Ok(self.append_together(&transaction).await?)
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let page: Result<Page, Fault> = self.page(stream, &read).await;
        Ok(page?)
    }
}
