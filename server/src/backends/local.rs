//! The look-alikes of `dev`, with the tables, the stream and the bucket that the application needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::StoreError;
use headwater_local::{Local, LocalError, Options};
use headwater_projections::GROUP;
use headwater_projections::backfill::{OperationError, Operations};
use headwater_projections::group::{Item, LeaseError, LeaseStore, Saved};
use headwater_store_kinesis::{Config, Shards, infra};

use super::bucket::{self, BucketError};
use super::connect::Connection;
use super::place::{Names, Place};
use crate::config::Feed;

/// Shards of the local feed: each is read and projected by a task of its own.
const SHARDS: u32 = 4;
/// How long the local feed keeps records: the longest that Kinesis knows, a year.
const RETENTION_HOURS: u32 = 8_760;
/// Most reads of a shard a second; nobody else reads, and nothing is throttled.
const READS_PER_SECOND: u32 = 1_000;

/// Why `dev` has no backends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error("the local backends cannot be prepared")]
    Store(#[from] StoreError),
    #[error("the leases of the last run cannot be released")]
    Leases(#[from] LeaseError),
    #[error("the operations of the last run cannot be given up")]
    Operations(#[from] OperationError),
    #[error("the local archive cannot be prepared")]
    Bucket(#[from] BucketError),
}

/// Starts them, on what the directory keeps if there is one, and makes what is missing.
pub(super) async fn start(
    names: Names,
    data_dir: Option<PathBuf>,
) -> Result<(Local, Connection), StartError> {
    let mut options = data_dir.map_or_else(Options::default, Options::durable);
    options.transition = Duration::ZERO;
    let local = Local::start(options).await?;
    let connection = Connection::to(Place::local(names, &local));
    infra::apply(&connection.clients, &connection.store_config(&Feed::default())).await?;
    bucket::apply(&connection).await?;
    Ok((local, connection))
}

/// What is different about a store on look-alikes.
pub(super) fn adjust(config: &mut Config) {
    config.shards = Shards::Provisioned(SHARDS);
    config.retention_hours = RETENTION_HOURS;
    config.reads_per_second = READS_PER_SECOND;
}

/// Releases what the last run held if it was killed, and gives up what it was at work with. The directory belongs to this process alone, so nobody else can hold
/// a lease, and nobody has to wait until they expire.
pub(super) async fn release_all(leases: Arc<dyn LeaseStore>) -> Result<(), StartError> {
    for group in [GROUP, headwater_archive::GROUP] {
        release(&*leases, group).await?;
    }
    Ok(Operations::new(leases, GROUP).interrupt_all().await?)
}

async fn release(leases: &dyn LeaseStore, group: &str) -> Result<(), LeaseError> {
    for lease in leases.list(group).await?.leases.into_values().filter(|lease| lease.owner.is_some()) {
        match leases.save(group, &Item::Lease(lease.given_to(None)), Some(lease.counter)).await? {
            Saved::Done => {}
            Saved::Lost(found) => tracing::warn!(?found, "a lease of the last run has moved"),
        }
    }
    Ok(())
}
