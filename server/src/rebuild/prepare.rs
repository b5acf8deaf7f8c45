//! What a rebuild works with: the projection, where its events are read, and stores with budgets of their own.

use std::sync::Arc;

use headwater::EventStore;
use headwater_archive::{ArchiveError, ArchiveHistory};
use headwater_projections::backfill::{
    Backfill, EventSource, History, LedgerHistory, Operations, Options, Pace, Progress, Target,
};
use headwater_projections::{DefinitionError, GROUP, LeaseStore, RowStore};
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};

use crate::app::Kept;
use crate::archive::archive;
use crate::backends::Connection;
use crate::exit::with_causes;

/// Why a rebuild could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildError {
    #[error("projection {name:?} is unknown: known are {known}")]
    Unknown { name: String, known: String },
    #[error("{name} is a reactor: it has no rows that could be built anew")]
    Reactor { name: String },
    #[error("the archive has no files: take the ledger as the source")]
    NoFiles,
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

/// Where rebuilds work.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    connection: Connection,
    ledger: Arc<dyn EventStore>,
    rows: Arc<dyn RowStore>,
    leases: Arc<dyn LeaseStore>,
}

/// The rows and leases, with a retry budget of their own so that commands are not starved.
pub(crate) fn stores(connection: &Connection) -> (Arc<dyn RowStore>, Arc<dyn LeaseStore>) {
    let prefix = &connection.place.names.prefix;
    let mut config = rows::Config::new(prefix);
    config.settings = rows::Config::backfill_settings();
    let rows = DynamoRows::new(&connection.clients.dynamodb, config);
    (Arc::new(rows), Arc::new(DynamoLeases::new(&connection.clients.dynamodb, prefix)))
}

/// A projection of the application, as something that can be rebuilt.
pub(crate) fn target(kept: &[Kept], name: &str) -> Result<Target, RebuildError> {
    let known = || kept.iter().map(|kept| kept.name).collect::<Vec<_>>().join(", ");
    let found = kept.iter().find(|kept| kept.name == name);
    let found = found.ok_or_else(|| RebuildError::Unknown { name: name.to_owned(), known: known() })?;
    let target = found.target.ok_or_else(|| RebuildError::Reactor { name: name.to_owned() })?;
    Ok(target()?)
}

impl Ground {
    /// On a connection, with a ledger that is open on it.
    pub(crate) fn new(connection: Connection, ledger: Arc<dyn EventStore>) -> Self {
        let (rows, leases) = stores(&connection);
        Self { connection, ledger, rows, leases }
    }

    /// The operations there.
    pub(crate) fn operations(&self) -> Operations {
        Operations::new(Arc::clone(&self.leases), GROUP)
    }

    /// A backfill that has not begun.
    pub(crate) async fn backfill(
        &self,
        target: Target,
        source: Option<EventSource>,
        options: Options,
    ) -> Result<Backfill, RebuildError> {
        let progress = Arc::new(Progress::default());
        Ok(Backfill {
            target,
            ledger: Arc::clone(&self.ledger),
            rows: Arc::clone(&self.rows),
            leases: Arc::clone(&self.leases),
            group: GROUP.into(),
            history: self.history(source, &progress).await?,
            options,
            progress,
            pace: Pace::new(options.budget),
        })
    }

    /// Where the events are read: as it was said, else the archive if it has files, else the ledger, which has all of them
    /// and costs more to read. An archive that cannot be looked at is therefore noted.
    async fn history(
        &self,
        source: Option<EventSource>,
        progress: &Progress,
    ) -> Result<Arc<dyn History>, RebuildError> {
        let leases = || Arc::clone(&self.leases);
        let of_ledger = || LedgerHistory::new(Arc::clone(&self.ledger), leases(), GROUP);
        if source == Some(EventSource::Ledger) {
            return Ok(Arc::new(of_ledger()));
        }
        let archive = archive(&self.connection)?;
        let any = match archive.any().await {
            Err(error) if source.is_none() => {
                let why = with_causes(&error);
                tracing::warn!(
                    error = why,
                    "a rebuild cannot look at the archive and reads the ledger instead"
                );
                progress.note(format!("the archive cannot be looked at: {why}: reading the ledger instead"));
                false
            }
            any => any?,
        };
        match (any, source) {
            (true, _) => Ok(Arc::new(ArchiveHistory::new(archive, leases()))),
            (false, None) => Ok(Arc::new(of_ledger())),
            (false, Some(_)) => Err(RebuildError::NoFiles),
        }
    }
}
