//! The store as a backend of the conformance suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::testing::conformance::{Backend, Opened, Pages, Scale, checks, run};
use headwater_store_kinesis::{Delivery, KinesisStore};

use crate::stores::{clients, fresh};

pub(crate) struct Embedded {
    delivery: Delivery,
}

/// The store on the look-alikes of this process.
pub(crate) fn embedded() -> Embedded {
    Embedded { delivery: Delivery::Polling }
}

/// The same with a feed that is pushed.
fn pushed() -> Embedded {
    Embedded { delivery: Delivery::FanOut { consumer: "conformance".to_owned() } }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pushed_feed_passes_the_checks_of_the_feed() {
    let checks: Vec<_> = checks().iter().filter(|check| check.law.contains("feed")).collect();
    assert_eq!(checks.len(), 6, "{checks:?}");
    for check in checks {
        run(check.name, &pushed()).await;
    }
}

#[async_trait]
impl Backend for Embedded {
    async fn open(&self, pages: Pages) -> Opened {
        let mut config = fresh().await;
        if pages == Pages::Tiny {
            config.page_commits = 2;
        }
        config.delivery = self.delivery.clone();
        let store = KinesisStore::open(&clients(), &config);
        let feed = store.feed();
        Opened { store: Arc::new(store), feed }
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
