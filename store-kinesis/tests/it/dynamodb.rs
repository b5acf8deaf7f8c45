//! A DynamoDB look-alike in this process, in memory, one for all tests; each test has tables of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use headwater_store_kinesis::ledger::tables;
use headwater_store_kinesis::{Config, Ledger};

/// Where it listens. It has a thread and a runtime of its own: its SQLite calls block, and tests end their runtimes.
pub(crate) fn endpoint() -> &'static str {
    static ENDPOINT: OnceLock<String> = OnceLock::new();
    ENDPOINT.get_or_init(|| {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let database = dynoxide::Database::memory().unwrap();
                tell.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
                let served =
                    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending());
                served.await.unwrap();
            });
        });
        told.recv().unwrap()
    })
}

/// The configuration of a client for it.
pub(crate) fn client_config() -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIAIOSFODNN7LOCAL00", "secret", None, None, "test"))
        .endpoint_url(endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

/// A client for it.
pub(crate) fn client() -> Client {
    Client::from_conf(client_config().build())
}

/// A configuration with a prefix that no other test has, its table made.
pub(crate) async fn fresh() -> Config {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let config = Config::new(format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    tables::apply(&client(), &config.table()).await.unwrap();
    config
}

/// A ledger on a table of its own.
pub(crate) async fn ledger() -> (Ledger, Config) {
    let config = fresh().await;
    (Ledger::new(&client(), &config), config)
}
