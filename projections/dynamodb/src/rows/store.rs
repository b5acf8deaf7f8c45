//! The store itself: configuration, and the operations of the trait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use headwater::{StreamName, Version};
use headwater_aws::Settings;
use headwater_projections::rows::{
    AuditPage, Generation, List, LoadedRows, Query, RowError, RowPage, Wanted, Written,
};
use headwater_projections::{AuditEntry, Parked, RowStore, Transaction};

use super::shape::Shape;

/// How rows are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the names of all tables begin with; the rows of a generation are in `{prefix}-{projection}-g{n}`.
    pub prefix: String,
    /// Retries and timeouts.
    pub settings: Settings,
    /// Whether every answer says how many capacity units it took: for measuring.
    pub report_capacity: bool,
}

impl Config {
    /// A configuration for live rows.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), settings: Settings::commands(), report_capacity: false }
    }

    /// Settings for filling a new generation: patience, and a retry budget of its own.
    #[must_use]
    pub fn backfill_settings() -> Settings {
        Settings::backfill()
    }

    /// The name of a generation's table.
    #[must_use]
    pub fn table(&self, generation: &Generation) -> String {
        format!("{}-{generation}", self.prefix)
    }
}

/// Rows in DynamoDB: a table for each generation.
///
/// Endpoint, region, credentials and HTTP come from the client; retries and timeouts come from the configuration. What
/// every operation costs stands in the README of this package.
#[derive(Debug)]
pub struct DynamoRows {
    pub(super) client: Client,
    pub(super) config: Config,
    /// Asks for the capacity units with every answer.
    pub(super) capacity: Option<ReturnConsumedCapacity>,
    pub(super) shapes: Mutex<HashMap<Generation, Arc<Shape>>>,
}

impl DynamoRows {
    /// A row store. Sends nothing.
    #[must_use]
    pub fn new(client: &Client, config: Config) -> Self {
        let client = config.settings.dynamodb(client);
        let capacity = config.report_capacity.then_some(ReturnConsumedCapacity::Total);
        Self { client, config, capacity, shapes: Mutex::default() }
    }
}

#[async_trait]
impl RowStore for DynamoRows {
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        self.make(generation, indexes).await
    }

    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError> {
        self.drop_table(generation).await
    }

    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        self.load_wanted(&self.config.table(generation), wanted).await
    }

    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        self.write_together(generation, transaction).await
    }

    async fn add(
        &self,
        generation: &Generation,
        transactions: &[Transaction],
    ) -> Vec<Result<Written, RowError>> {
        self.add_many(generation, transactions).await
    }

    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        self.list_rows(generation, list).await
    }

    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError> {
        self.query_rows(generation, query).await
    }

    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        self.park_stream(&self.config.table(generation), parked).await
    }

    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        self.unpark_stream(&self.config.table(generation), stream, first_failing).await
    }

    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        self.parked_streams(&self.config.table(generation), after, limit).await
    }

    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError> {
        self.keep_audit(&self.config.table(generation), entry).await
    }

    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError> {
        self.list_audits(generation, list).await
    }
}
