//! The ledger as a backend of the conformance suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::testing::conformance::{Backend, Opened, Pages, Scale};
use headwater_store_kinesis::Ledger;

use crate::dynamodb::{client, fresh};

pub(crate) struct Embedded;

/// The ledger on the look-alike of this process.
pub(crate) fn embedded() -> Embedded {
    Embedded
}

#[async_trait]
impl Backend for Embedded {
    async fn open(&self, pages: Pages) -> Opened {
        let mut config = fresh().await;
        if pages == Pages::Tiny {
            config.page_commits = 2;
        }
        Opened::ledger(Arc::new(Ledger::new(&client(), &config)))
    }

    /// Every write is a request: less is asked of it than of memory.
    fn scale(&self) -> Scale {
        let mut scale = Scale::default();
        scale.big_stream_events = 30_000;
        scale.writers = 8;
        scale.rounds = 8;
        scale.patience = Duration::from_secs(120);
        scale
    }
}
