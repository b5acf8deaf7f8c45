//! The backends of `dev`: the same code paths as on AWS, on look-alikes in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::StoreError;
use headwater_local::{ACCESS_KEY_ID, Local, LocalError, Options, REGION, SECRET_ACCESS_KEY};
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
}

/// Why they could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error("the local backends cannot be prepared")]
    Store(#[from] StoreError),
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
        Ok(Self { local, store })
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
