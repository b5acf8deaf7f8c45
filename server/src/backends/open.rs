//! The store, the rows and the leases on a connection, with the tasks they need.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_local::Local;
use headwater_projections::Runner;
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Config, KinesisStore};

use super::connect::Connection;
use super::local::{self, StartError};
use super::place::Names;
use crate::config::Feed;

/// What a process runs on, opened.
#[derive(Debug)]
pub(crate) struct Backends {
    /// The clients below, for what has no client of its own.
    pub(crate) connection: Connection,
    /// The ledger and the feed.
    pub(crate) store: Arc<KinesisStore>,
    /// The rows of all projections.
    pub(crate) rows: Arc<DynamoRows>,
    /// Who reads what.
    pub(crate) leases: Arc<DynamoLeases>,
    /// The look-alikes, when this process has them.
    local: Option<Local>,
}

/// Rows and leases: they do nothing by themselves, so whoever only looks may have them.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    /// The rows of all projections.
    pub(crate) rows: Arc<DynamoRows>,
    /// Who reads what.
    pub(crate) leases: Arc<DynamoLeases>,
}

impl Connection {
    /// Rows and leases there.
    pub(crate) fn books(&self) -> Books {
        let (client, prefix) = (&self.clients.dynamodb, &self.place.names.prefix);
        let rows = Arc::new(DynamoRows::new(client, rows::Config::new(prefix)));
        Books { rows, leases: Arc::new(DynamoLeases::new(client, prefix)) }
    }
}

impl Backends {
    /// Opens them. Tables, stream and bucket must be there: `infra apply` makes them. Nothing is sent that has to be
    /// waited for.
    pub(crate) fn open(connection: Connection, config: &Config) -> Self {
        let store = Arc::new(KinesisStore::open(&connection.clients, config));
        let Books { rows, leases } = connection.books();
        Self { connection, store, rows, leases, local: None }
    }

    /// Starts look-alikes in this process, on what the directory keeps if there is one, and opens everything on them.
    pub(crate) async fn start(names: Names, data_dir: Option<PathBuf>) -> Result<Self, StartError> {
        let (local, connection) = local::start(names, data_dir).await?;
        let mut config = connection.store_config(&Feed::default());
        // The directory belongs to this process alone, so every other writer there is a dead one.
        config.takeover_after = std::time::Duration::ZERO;
        let backends = Self { local: Some(local), ..Self::open(connection, &config) };
        local::release_all(Arc::clone(&backends.leases) as _).await?;
        Ok(backends)
    }

    /// Whether the look-alikes are in this process.
    pub(crate) fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// A runner without projections.
    pub(crate) fn runner(&self) -> Runner {
        let (store, rows, leases) =
            (Arc::clone(&self.store), Arc::clone(&self.rows), Arc::clone(&self.leases));
        let feed = store.feed();
        Runner::new(store, feed, rows).leases(leases)
    }

    /// Lines to paste to look inside the look-alikes with the `aws` command line, when this process has them.
    pub(crate) fn describe(&self) -> Option<String> {
        self.local.as_ref().map(Local::describe)
    }

    /// Publishes what is left and stops. Says whether everything was published.
    pub(crate) async fn stop(self) -> bool {
        let published = self.store.close().await;
        if let Some(local) = self.local {
            local.stop().await;
        }
        published
    }
}
