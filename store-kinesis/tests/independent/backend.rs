//! The store on services at given addresses, as a backend of the conformance suite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater::testing::conformance::{Backend, Opened, Pages, Scale};
use headwater_store_kinesis::{Clients, Config, KinesisStore, infra};

use crate::rig::{clients_of, quick};

pub(crate) struct Independent {
    clients: Clients,
}

impl Independent {
    pub(crate) fn new(dynamodb: &str, kinesis: &str) -> Self {
        Self { clients: clients_of(dynamodb, kinesis) }
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// A configuration whose tables and stream are made.
    pub(crate) async fn fresh(&self) -> Config {
        // One counter for all: the tests share a DynamoDB.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut config = quick(&format!("second-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        config.commands.attempt_timeout = Duration::from_secs(30);
        config.commands.operation_timeout = Duration::from_secs(60);
        infra::apply(&self.clients, &config).await.unwrap();
        config
    }
}

#[async_trait]
impl Backend for Independent {
    async fn open(&self, pages: Pages) -> Opened {
        let mut config = self.fresh().await;
        if pages == Pages::Tiny {
            config.page_commits = 2;
        }
        let store = KinesisStore::open(&self.clients, &config);
        let feed = store.feed();
        Opened { store: Arc::new(store), feed }
    }

    /// They are slow: small data.
    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.big_stream_events = 5_000;
        scale.writers = 4;
        scale.rounds = 4;
        scale.patience = Duration::from_secs(120);
        scale
    }
}
