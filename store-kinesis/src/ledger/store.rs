//! The ledger itself: the table, and what is known about it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use headwater_aws::tables::{self, Index, Key};

use super::heads::Heads;
use super::item::{FIRST, NUMBER, STREAM, WRITER};
use super::requests::Table;
use crate::Config;
use crate::outbox::INDEX;

/// The table that decides: one item for each commit.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) table: Table,
    pub(crate) heads: Heads,
    pub(crate) page_commits: usize,
}

impl Ledger {
    /// A ledger. Sends nothing.
    pub(crate) fn new(client: &Client, config: &Config) -> Self {
        let client = config.commands.dynamodb(client);
        let capacity = config.report_capacity.then_some(ReturnConsumedCapacity::Total);
        Self {
            table: Table { client, name: table(&config.prefix).name, capacity },
            heads: Heads::new(config.heads),
            page_commits: config.page_commits.clamp(1, headwater::store::limits::PAGE_COMMITS),
        }
    }
}

/// The table of a ledger, `{prefix}-ledger`, with the index of the outbox.
pub(crate) fn table(prefix: &str) -> tables::Table {
    let outbox = Index::keys_only(INDEX, Key::text(WRITER)).sort(Key::number(NUMBER));
    let table = tables::Table::new(format!("{prefix}-ledger"), "a ledger", Key::text(STREAM));
    table.sort(Key::number(FIRST)).index(outbox)
}
