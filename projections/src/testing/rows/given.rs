//! What the checks have in common: names, writes and loads that succeed, and patience with pages.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use headwater::StreamName;

use crate::rows::{Generation, List, LoadedRows, Query, RowPage, Wanted, Written};
use crate::{Expect, Revision, RowStore, RowWrite, Transaction};

/// Looks at a page until it shows what was written.
const LOOKS: u32 = 50;
/// The time between two of them.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn generation() -> Generation {
    Generation::new("conformance", 1)
}

pub(super) async fn prepare(store: &dyn RowStore, indexes: &[&str]) {
    store.prepare(&generation(), indexes).await.expect("the store makes the generation");
}

pub(super) fn row(key: &str, before: u64, fields: Option<&str>) -> RowWrite {
    let expect = if before == 0 { Expect::Absent } else { Expect::Revision(Revision(before)) };
    let fields = fields.map(|json| Bytes::from(json.to_owned()));
    RowWrite { key: key.to_owned(), fields, revision: Revision(before + 1), expect }
}

pub(super) fn one(row: RowWrite) -> Transaction {
    Transaction { rows: vec![row], versions: Vec::new() }
}

pub(super) fn stream(id: &str) -> StreamName {
    StreamName::new("account", id).expect("the ids of the checks are valid")
}

pub(super) async fn write(store: &dyn RowStore, transaction: &Transaction) -> Written {
    store.write(&generation(), transaction).await.expect("the store takes the write")
}

/// Writes a row that is not there.
pub(super) async fn add(store: &dyn RowStore, key: &str, json: &str) {
    assert_eq!(write(store, &one(row(key, 0, Some(json)))).await, Written::Done, "row {key:?}");
}

pub(super) async fn load(store: &dyn RowStore, rows: &[&str], streams: &[&str]) -> LoadedRows {
    let wanted = Wanted {
        rows: rows.iter().map(|key| (*key).to_owned()).collect(),
        streams: streams.iter().map(|id| stream(id)).collect(),
    };
    store.load(&generation(), &wanted).await.expect("the store loads")
}

pub(super) async fn list(store: &dyn RowStore, after: Option<String>, limit: usize) -> RowPage {
    store.list(&generation(), &List { after, limit }).await.expect("the store lists")
}

/// The keys of all pages of a query.
pub(super) async fn found(store: &dyn RowStore, query: &Query) -> Vec<String> {
    let (mut keys, mut query) = (Vec::new(), query.clone());
    loop {
        let page = store.query(&generation(), &query).await.expect("the store answers the query");
        assert!(page.rows.len() <= query.limit && page.rows.iter().all(|row| row.fields.is_some()));
        keys.extend(page.rows.into_iter().map(|row| row.key));
        query.after = page.next;
        if query.after.is_none() {
            return keys;
        }
    }
}

/// Looks until it sees what is expected.
pub(super) async fn shows<T: PartialEq + Debug>(what: &str, expected: T, look: impl AsyncFn() -> T) {
    for _ in 0..LOOKS {
        if look().await == expected {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(look().await, expected, "{what}");
}
