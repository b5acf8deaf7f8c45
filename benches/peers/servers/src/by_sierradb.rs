//! sierradb over RESP3: an account is a stream, and an append names the version that it has to have.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use sierradb_client::{AsyncTypedCommands, EAppendOptions, ExpectedVersion};

use crate::{Client, Failure};

pub(crate) struct Sierra {
    connection: MultiplexedConnection,
    /// The version of each account.
    versions: HashMap<String, u64>,
}

impl Client for Sierra {
    async fn connect(url: &str) -> Result<Self, Failure> {
        let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        Ok(Self { connection, versions: HashMap::new() })
    }

    async fn append(&mut self, account: &str, event: Vec<u8>) -> Result<(), Failure> {
        let expected =
            self.versions.get(account).copied().map_or(ExpectedVersion::Empty, ExpectedVersion::Exact);
        let options = EAppendOptions::new().payload(event).expected_version(expected);
        let appended = self.connection.eappend(account, "Deposited", options).await?;
        self.versions.insert(account.to_owned(), appended.stream_version);
        Ok(())
    }
}
