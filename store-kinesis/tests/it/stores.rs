//! Stores on tables and a stream of their own, as they are or behind a wire.

use std::sync::atomic::{AtomicU32, Ordering};

use headwater_aws::testing::Wire;
use headwater_store_kinesis::{Clients, Config, KinesisStore, infra};

use crate::rig::{addresses, clients_of, quick};

/// Clients of the look-alikes of this process.
pub(crate) fn clients() -> Clients {
    let (dynamodb, kinesis) = addresses();
    clients_of(dynamodb, kinesis)
}

/// Clients behind a wire.
pub(crate) fn wired(wire: &Wire) -> Clients {
    let (dynamodb, kinesis) = addresses();
    Clients { dynamodb: wire.dynamodb(dynamodb), kinesis: wire.kinesis(kinesis) }
}

/// A configuration with a prefix that no other test has, its tables and stream made.
pub(crate) async fn fresh() -> Config {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let config = quick(&format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    infra::apply(&clients(), &config).await.unwrap();
    config
}

/// A store on tables of its own.
pub(crate) async fn store() -> (KinesisStore, Config) {
    let config = fresh().await;
    (KinesisStore::open(&clients(), &config), config)
}

/// A store behind a new wire that looks at requests for the ledger, on tables of its own.
pub(crate) async fn tapped() -> (Wire, KinesisStore, Config) {
    let mut config = fresh().await;
    config.report_capacity = true;
    // Tests that fail on purpose may not use up the retries of others.
    config.commands.budget = config.prefix.clone().into();
    let wire = Wire::focused("-ledger");
    let store = KinesisStore::open(&wired(&wire), &config);
    (wire, store, config)
}
