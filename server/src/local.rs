//! The backends of `dev`: the same code paths as on AWS, on look-alikes in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::StoreError;
use headwater_local::{ACCESS_KEY_ID, Local, LocalError, Options, REGION, SECRET_ACCESS_KEY};
use headwater_projections::group::{Item, LeaseError, LeaseStore, Saved};
use headwater_projections::{GROUP, Runner};
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Clients, Config, KinesisStore, Shards, infra};

/// Shards of the local feed: each is read and projected by a task of its own.
const SHARDS: u32 = 4;
/// How long the local feed keeps records: the longest that Kinesis knows, a year.
const RETENTION_HOURS: u32 = 8_760;
/// Most reads of a shard a second; nobody else reads, and nothing is throttled.
const READS_PER_SECOND: u32 = 1_000;

/// The look-alikes and the store on them.
pub(crate) struct Backends {
    local: Local,
    pub(crate) store: Arc<KinesisStore>,
    rows: Arc<DynamoRows>,
    leases: Arc<DynamoLeases>,
}

/// Why they could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error("the local backends cannot be prepared")]
    Store(#[from] StoreError),
    #[error("the leases of the last run cannot be released")]
    Leases(#[from] LeaseError),
}

impl Backends {
    /// Starts them, on what the directory keeps if there is one.
    pub(crate) async fn start(name: &str, data_dir: Option<PathBuf>) -> Result<Self, StartError> {
        let mut options = data_dir.map_or_else(Options::default, Options::durable);
        options.transition = Duration::ZERO;
        let local = Local::start(options).await?;
        let clients = clients(&local);
        let mut config = Config::new(name);
        config.shards = Shards::Provisioned(SHARDS);
        config.retention_hours = RETENTION_HOURS;
        config.reads_per_second = READS_PER_SECOND;
        // The directory belongs to this process alone, so every other writer there is a dead one.
        config.takeover_after = Duration::ZERO;
        infra::apply(&clients, &config).await?;
        let store = Arc::new(KinesisStore::open(&clients, &config));
        let rows = Arc::new(DynamoRows::new(&clients.dynamodb, rows::Config::new(name)));
        let leases = Arc::new(DynamoLeases::new(&clients.dynamodb, name));
        release_all(&*leases).await?;
        Ok(Self { local, store, rows, leases })
    }

    /// A runner without projections.
    pub(crate) fn runner(&self) -> Runner {
        let (store, rows, leases) =
            (Arc::clone(&self.store), Arc::clone(&self.rows), Arc::clone(&self.leases));
        let feed = store.feed();
        Runner::new(store, feed, rows).leases(leases)
    }

    /// Lines to paste to look inside with the `aws` command line.
    pub(crate) fn describe(&self) -> String {
        self.local.describe()
    }

    /// Publishes what is left and stops. Says whether everything was published.
    pub(crate) async fn stop(self) -> bool {
        let published = self.store.close().await;
        self.local.stop().await;
        published
    }
}

/// Releases what the last run held if it was killed. The directory belongs to this process alone, so nobody else can hold
/// a lease, and nobody has to wait until they expire.
async fn release_all(leases: &dyn LeaseStore) -> Result<(), LeaseError> {
    for lease in leases.list(GROUP).await?.leases.into_values().filter(|lease| lease.owner.is_some()) {
        match leases.save(GROUP, &Item::Lease(lease.given_to(None)), Some(lease.counter)).await? {
            Saved::Done => {}
            Saved::Lost(found) => tracing::warn!(?found, "a lease of the last run has moved"),
        }
    }
    Ok(())
}

fn clients(local: &Local) -> Clients {
    macro_rules! client {
        ($sdk:ident, $url:expr) => {{
            let credentials =
                $sdk::config::Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local");
            let config = $sdk::config::Builder::new()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new(REGION))
                .credentials_provider(credentials)
                .endpoint_url($url)
                .http_client(aws_smithy_http_client::Builder::new().build_http());
            $sdk::Client::from_conf(config.build())
        }};
    }
    Clients {
        dynamodb: client!(aws_sdk_dynamodb, local.dynamodb_url()),
        kinesis: client!(aws_sdk_kinesis, local.kinesis_url()),
    }
}
