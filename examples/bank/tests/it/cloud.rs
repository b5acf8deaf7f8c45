//! The look-alikes of AWS in the process of the test: what a server leaves in them is looked at directly.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use headwater::EventStore;
use headwater::store::{EventFeed, Scan};
use headwater_local::{Local, Options};
use headwater_projections::group::{Items, LeaseStore};
use headwater_projections_dynamodb::DynamoLeases;
use headwater_store_kinesis::outbox::{Writer, writers};
use headwater_store_kinesis::{Clients, Config, KinesisStore};
use tokio::time::Instant;

use crate::process::Dev;

/// How the bank's tables and its stream begin.
const PREFIX: &str = "bank";
/// How long the feed may take to give what is in it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Records that are read at once.
const PAGE: usize = 1_000;

/// A commit, by its stream and the version of its first event.
pub(crate) type Place = (String, u64);

pub(crate) struct Cloud {
    local: Local,
    clients: Clients,
    config: Config,
}

impl Cloud {
    /// With what the bank needs, made by the bank.
    pub(crate) async fn start() -> Self {
        let mut options = Options::default();
        options.transition = Duration::ZERO;
        let local = Local::start(options).await.unwrap();
        let clients = Clients {
            dynamodb: headwater_aws::testing::dynamodb(local.dynamodb_url()),
            kinesis: headwater_aws::testing::kinesis(local.kinesis_url()),
        };
        let mut config = Config::new(PREFIX);
        // Whoever looks must not publish what a server has left.
        config.takeover_after = Duration::from_secs(3_600);
        let cloud = Self { local, clients, config };
        let mut apply = Command::new(env!("CARGO_BIN_EXE_bank"));
        let applied = apply.args(["infra", "apply", "--yes"]).envs(cloud.environment()).stdin(Stdio::null());
        let output = applied.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        cloud
    }

    fn environment(&self) -> Vec<(&str, &str)> {
        let mut environment = self.local.environment().to_vec();
        environment.push(("HEADWATER_FEED__SHARDS", "2"));
        environment
    }

    /// Starts `bank serve` on it.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> Dev {
        let environment = [self.environment().as_slice(), settings].concat();
        Dev::within(&environment, &["serve", "--listen", "127.0.0.1:0"])
    }

    /// What is written down of a group: its leases and its workers.
    pub(crate) async fn group(&self, name: &str) -> Items {
        DynamoLeases::new(&self.clients.dynamodb, PREFIX).list(name).await.unwrap()
    }

    /// Who may have left something to publish.
    pub(crate) async fn writers(&self) -> Vec<Writer> {
        writers(&self.clients, &self.config).await.unwrap()
    }

    /// Every commit of the ledger; and says which of them the feed does not have after a while.
    pub(crate) async fn ledger_and_unpublished(&self) -> (BTreeSet<Place>, BTreeSet<Place>) {
        let store = KinesisStore::open(&self.clients, &self.config);
        let (mut ledger, mut scan) = (BTreeSet::new(), Scan::all());
        loop {
            let page = store.scan(scan).await.unwrap();
            ledger.extend(page.commits.iter().map(|commit| (commit.stream.to_string(), commit.first.0)));
            match page.next {
                Some(next) => scan = Scan::all().after(next),
                None => break,
            }
        }
        let (mut missing, feed) = (ledger.clone(), store.feed());
        let mut places: Vec<_> =
            feed.partitions().await.unwrap().into_iter().map(|partition| (partition.id, None)).collect();
        let deadline = Instant::now() + PATIENCE;
        while !missing.is_empty() && Instant::now() < deadline {
            for (partition, position) in &mut places {
                let batch = feed.read_after(partition, position.as_ref(), PAGE).await.unwrap();
                for record in batch.records {
                    missing.remove(&(record.commit.stream.to_string(), record.commit.first.0));
                }
                *position = batch.next.or(position.take());
            }
        }
        (ledger, missing)
    }
}
