//! A look-alike of DynamoDB for all tests of rows; each test has tables, a wire and a store of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use headwater::{StreamName, Version};
use headwater_aws::testing::Wire;
use headwater_local::{Local, Options};
use headwater_projections::rows::{Generation, Wanted};
use headwater_projections::{
    Cause, CauseKind, Expect, Parked, Revision, RowStore, RowWrite, Transaction, VersionWrite,
};
use headwater_projections_dynamodb::DynamoRows;
use headwater_projections_dynamodb::rows::Config;
use tokio::sync::OnceCell;

/// A row store with what is around it.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) rows: DynamoRows,
    pub(crate) client: Client,
    pub(crate) wire: Wire,
    pub(crate) config: Config,
}

/// A store with a prefix that no other test has.
pub(crate) async fn rows() -> Backend {
    // The services have threads of their own, so they outlive the test that starts them.
    static LOCAL: OnceCell<Local> = OnceCell::const_new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let local = LOCAL.get_or_init(async || Local::start(Options::default()).await.unwrap()).await;
    let prefix = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let wire = Wire::focused(&format!("{prefix}-"));
    let client = wire.dynamodb(local.dynamodb_url());
    let mut config = Config::new(prefix);
    config.report_capacity = true;
    Backend { rows: DynamoRows::new(&client, config.clone()), client, wire, config }
}

/// A store whose generation has these indexes, and a wire that has forgotten how it was made.
pub(crate) async fn prepared(indexes: &[&str]) -> Backend {
    let backend = rows().await;
    backend.rows.prepare(&generation(), indexes).await.unwrap();
    let _ = backend.wire.bill();
    backend
}

impl Backend {
    /// What the requests since the last time were, and their units.
    #[track_caller]
    pub(crate) fn costs(&self, requests: &[&str], units: f64) {
        let (sent, billed) = self.wire.bill();
        assert_eq!(sent, requests);
        assert!((billed - units).abs() < 0.01, "{billed} units, not {units}");
    }

    /// The name of the generation's table.
    pub(crate) fn table(&self) -> String {
        self.config.table(&generation())
    }
}

pub(crate) fn generation() -> Generation {
    Generation::new("accounts", 1)
}

pub(crate) fn stream(id: &str) -> StreamName {
    StreamName::new("account", id).unwrap()
}

pub(crate) fn row(key: &str, before: u64, fields: &str) -> RowWrite {
    let expect = if before == 0 { Expect::Absent } else { Expect::Revision(Revision(before)) };
    let fields = Some(Bytes::from(fields.to_owned()));
    RowWrite { key: key.to_owned(), fields, revision: Revision(before + 1), expect }
}

pub(crate) fn one(row: RowWrite) -> Transaction {
    Transaction { rows: vec![row], versions: Vec::new() }
}

pub(crate) fn version(id: &str, expect: u64, version: u64) -> VersionWrite {
    VersionWrite { stream: stream(id), version: Version(version), expect: Version(expect) }
}

pub(crate) fn parked(id: &str, first_failing: u64, highest: u64) -> Parked {
    Parked {
        stream: stream(id),
        first_failing: Version(first_failing),
        highest: Version(highest),
        cause: Cause { kind: CauseKind::Panic, message: "a number was odd".to_owned() },
        attempts: 1,
    }
}

pub(crate) fn wanted(rows: &[&str], streams: &[&str]) -> Wanted {
    Wanted {
        rows: rows.iter().map(|key| (*key).to_owned()).collect(),
        streams: streams.iter().map(|id| stream(id)).collect(),
    }
}
