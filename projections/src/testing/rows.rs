//! The conformance suite for row stores: each check is a function; [`row_store_conformance!`] makes tests of them.
//!
//! [`row_store_conformance!`]: crate::row_store_conformance

use bytes::Bytes;
use headwater::{StreamName, Version};

use crate::rows::{Generation, List, LoadedRows, MAX_PAGE_ROWS, RowError, Wanted, Written};
use crate::{
    Cause, CauseKind, Expect, MAX_TRANSACTION_ITEMS, Parked, Revision, RowStore, RowWrite, Transaction,
    VersionWrite,
};

/// Makes one tokio test of each check, on the store that the expression makes.
#[macro_export]
macro_rules! row_store_conformance {
    ($make:expr) => {
        $crate::row_store_conformance!(@ $make;
            a_row_is_loaded_as_it_was_written,
            what_does_not_exist_is_left_out,
            a_row_is_written_only_on_the_revision_expected,
            a_deleted_row_keeps_its_revision,
            a_transaction_is_written_whole_or_not_at_all,
            a_transaction_over_the_limit_is_refused,
            of_many_writers_on_one_revision_one_wins,
            generations_are_apart,
            pages_hold_every_live_row_once_by_key,
            a_page_of_no_rows_or_too_many_is_refused,
            a_parked_stream_keeps_the_highest_version,
        );
    };
    (@ $make:expr; $($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let store = $make;
            $crate::testing::rows::$check(&store).await;
        }
    )*};
}

fn generation() -> Generation {
    Generation::new("conformance", 1)
}

fn row(key: &str, before: u64, fields: Option<&str>) -> RowWrite {
    let expect = if before == 0 { Expect::Absent } else { Expect::Revision(Revision(before)) };
    let fields = fields.map(|json| Bytes::from(json.to_owned()));
    RowWrite { key: key.to_owned(), fields, revision: Revision(before + 1), expect }
}

fn one(row: RowWrite) -> Transaction {
    Transaction { rows: vec![row], versions: Vec::new() }
}

fn stream(id: &str) -> StreamName {
    StreamName::new("account", id).expect("the ids in this file are valid")
}

async fn write(store: &dyn RowStore, transaction: &Transaction) -> Written {
    store.write(&generation(), transaction).await.expect("the store takes the write")
}

async fn load(store: &dyn RowStore, rows: &[&str], streams: &[&str]) -> LoadedRows {
    let wanted = Wanted {
        rows: rows.iter().map(|key| (*key).to_owned()).collect(),
        streams: streams.iter().map(|id| stream(id)).collect(),
    };
    store.load(&generation(), &wanted).await.expect("the store loads")
}

/// Fields come back with numbers beyond 2^53 as they were, and odd keys are keys.
pub async fn a_row_is_loaded_as_it_was_written(store: &dyn RowStore) {
    let json = r#"{"text":"ünï \"\n","number":9007199254740993,"list":[1,{"deep":null}],"map":{}}"#;
    for key in ["plain", "with/slash", "ключ", " "] {
        assert_eq!(write(store, &one(row(key, 0, Some(json)))).await, Written::Done);
        let loaded = load(store, &[key], &[]).await;
        let stored = loaded.rows.first().expect("the row exists");
        assert_eq!((stored.key.as_str(), stored.revision), (key, Revision(1)));
        let fields = stored.fields.as_deref().expect("the row has fields");
        let same =
            |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("fields are JSON");
        assert_eq!(same(fields), same(json.as_bytes()));
    }
}

/// An answer holds what exists, without an error for the rest.
pub async fn what_does_not_exist_is_left_out(store: &dyn RowStore) {
    assert_eq!(load(store, &["a", "b"], &["1", "2"]).await, LoadedRows::default());
    assert_eq!(write(store, &one(row("b", 0, Some("{}")))).await, Written::Done);
    let loaded = load(store, &["a", "b"], &["1"]).await;
    assert_eq!(loaded.rows.len(), 1);
    assert!(loaded.versions.is_empty() && loaded.parked.is_empty());
}

/// A write on another revision, or on none, is lost and changes nothing.
pub async fn a_row_is_written_only_on_the_revision_expected(store: &dyn RowStore) {
    assert_eq!(write(store, &one(row("a", 1, Some("{}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 0, Some("{\"n\":1}")))).await, Written::Done);
    assert_eq!(write(store, &one(row("a", 0, Some("{\"n\":2}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 2, Some("{\"n\":3}")))).await, Written::Lost);
    let loaded = load(store, &["a"], &[]).await;
    assert_eq!(loaded.rows.first().map(|row| row.revision), Some(Revision(1)));
    assert_eq!(write(store, &one(row("a", 1, Some("{\"n\":4}")))).await, Written::Done);
}

/// A row without fields is loaded and conditions hold on it, but it is not listed.
pub async fn a_deleted_row_keeps_its_revision(store: &dyn RowStore) {
    assert_eq!(write(store, &one(row("a", 0, Some("{}")))).await, Written::Done);
    assert_eq!(write(store, &one(row("a", 1, None))).await, Written::Done);
    let loaded = load(store, &["a"], &[]).await;
    let stored = loaded.rows.first().expect("the row is still known");
    assert_eq!((stored.revision, &stored.fields), (Revision(2), &None));
    let page = store.list(&generation(), &List { after: None, limit: 10 }).await.expect("the store lists");
    assert!(page.rows.is_empty());
    assert_eq!(write(store, &one(row("a", 0, Some("{}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 2, Some("{}")))).await, Written::Done);
}

/// One condition that does not hold, of a row or a version, undoes the whole transaction.
pub async fn a_transaction_is_written_whole_or_not_at_all(store: &dyn RowStore) {
    let version = |expect, version| VersionWrite {
        stream: stream("1"),
        version: Version(version),
        expect: Version(expect),
    };
    let both = |rows, versions| Transaction { rows, versions };
    let first = both(vec![row("a", 0, Some("{}")), row("b", 0, Some("{}"))], vec![version(0, 3)]);
    assert_eq!(write(store, &first).await, Written::Done);
    let bad_row = both(vec![row("a", 1, None), row("b", 0, None)], vec![version(3, 4)]);
    assert_eq!(write(store, &bad_row).await, Written::Lost);
    let bad_version = both(vec![row("a", 1, None), row("b", 1, None)], vec![version(2, 4)]);
    assert_eq!(write(store, &bad_version).await, Written::Lost);
    let loaded = load(store, &["a", "b"], &["1"]).await;
    assert!(loaded.rows.iter().all(|row| row.revision == Revision(1) && row.fields.is_some()));
    assert_eq!(loaded.versions, [(stream("1"), Version(3))]);
    let only_version = both(Vec::new(), vec![version(3, 5)]);
    assert_eq!(write(store, &only_version).await, Written::Done);
    assert_eq!(load(store, &[], &["1"]).await.versions, [(stream("1"), Version(5))]);
}

/// More items than fit are an error before anything is written; as many as fit are not.
pub async fn a_transaction_over_the_limit_is_refused(store: &dyn RowStore) {
    let rows = |count: usize| (0..count).map(|n| row(&format!("{n:03}"), 0, Some("{}"))).collect();
    let many = |count| Transaction { rows: rows(count), versions: Vec::new() };
    let refused = store.write(&generation(), &many(MAX_TRANSACTION_ITEMS + 1)).await;
    assert!(matches!(refused, Err(RowError::Invalid { .. })), "got {refused:?}");
    assert!(load(store, &["000"], &[]).await.rows.is_empty());
    assert_eq!(write(store, &many(MAX_TRANSACTION_ITEMS)).await, Written::Done);
}

/// Sixteen writers on the same revision: one is done, fifteen are lost.
pub async fn of_many_writers_on_one_revision_one_wins(store: &dyn RowStore) {
    for before in 0..4 {
        let transaction = one(row("a", before, Some("{}")));
        let writers = (0..16).map(|_| write(store, &transaction));
        let written = futures::future::join_all(writers).await;
        assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 1);
    }
}

/// Rows of one generation are not rows of another, nor are those of another projection.
pub async fn generations_are_apart(store: &dyn RowStore) {
    assert_eq!(write(store, &one(row("a", 0, Some("{}")))).await, Written::Done);
    for other in [Generation::new("conformance", 2), Generation::new("conformance-2", 1)] {
        let wanted = Wanted { rows: ["a".to_owned()].into(), ..Wanted::default() };
        let loaded = store.load(&other, &wanted).await.expect("the store loads");
        assert_eq!(loaded, LoadedRows::default());
        let written = store.write(&other, &one(row("a", 0, Some("{}")))).await;
        assert_eq!(written.expect("the store takes the write"), Written::Done);
    }
}

/// Tiny pages give all live rows, each once, ordered by the bytes of the key.
pub async fn pages_hold_every_live_row_once_by_key(store: &dyn RowStore) {
    let mut keys = ["b", "a", "ä", "B", "10", "9", "gone", "z"].map(str::to_owned).to_vec();
    for key in &keys {
        let fields = (key != "gone").then_some("{}");
        assert_eq!(write(store, &one(row(key, 0, fields))).await, Written::Done);
    }
    keys.retain(|key| key != "gone");
    keys.sort_unstable();
    for limit in [1, 2, 3, 7, 8] {
        let mut got = Vec::new();
        let mut list = List { after: None, limit };
        loop {
            let page = store.list(&generation(), &list).await.expect("the store lists");
            assert!(page.rows.len() <= limit && page.rows.iter().all(|row| row.fields.is_some()));
            got.extend(page.rows.into_iter().map(|row| row.key));
            list.after = page.next;
            if list.after.is_none() {
                break;
            }
        }
        assert_eq!(got, keys, "with pages of {limit}");
    }
}

/// Limits of pages are checked.
pub async fn a_page_of_no_rows_or_too_many_is_refused(store: &dyn RowStore) {
    for limit in [0, MAX_PAGE_ROWS + 1] {
        let page = store.list(&generation(), &List { after: None, limit }).await;
        assert!(matches!(page, Err(RowError::Invalid { .. })), "got {page:?}");
        let parked = store.parked(&generation(), None, limit).await;
        assert!(matches!(parked, Err(RowError::Invalid { .. })), "got {parked:?}");
    }
}

/// Parking again never lowers the highest version; records are listed by name, in pages.
pub async fn a_parked_stream_keeps_the_highest_version(store: &dyn RowStore) {
    let parked = |id: &str, highest| Parked {
        stream: stream(id),
        first_failing: Version(2),
        highest: Version(highest),
        cause: Cause { kind: CauseKind::Panic, message: "a number was odd".to_owned() },
        attempts: 1,
    };
    for record in [parked("2", 2), parked("1", 5), parked("1", 3)] {
        store.park(&generation(), &record).await.expect("the store keeps it");
    }
    assert_eq!(load(store, &[], &["1", "3"]).await.parked, [parked("1", 5)]);
    let first = store.parked(&generation(), None, 1).await.expect("the store lists");
    assert_eq!(first, [parked("1", 5)]);
    let second = store.parked(&generation(), Some(&stream("1")), 1).await.expect("the store lists");
    assert_eq!(second, [parked("2", 2)]);
}
