//! What is written under which condition, and loaded again.

use bytes::Bytes;
use headwater::Version;
use serde_json::Value;

use super::given::{add, generation, list, load, one, prepare, row, shows, stream, write};
use crate::rows::{LoadedRows, RowError, StoredRow, Written};
use crate::{
    Cause, CauseKind, Expect, MAX_ROW_BYTES, MAX_ROW_KEY_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_ITEMS,
    Parked, Revision, RowStore, RowWrite, Transaction, VersionWrite,
};

fn json(row: &StoredRow) -> Value {
    let fields = row.fields.as_deref().expect("the row has fields");
    serde_json::from_slice(fields).expect("fields are JSON")
}

fn field(row: &StoredRow, name: &str) -> Value {
    json(row).get(name).cloned().unwrap_or_default()
}

async fn comes_back(store: &dyn RowStore, key: &str, fields: &str) {
    add(store, key, fields).await;
    let loaded = load(store, &[key], &[]).await;
    let stored = loaded.rows.first().expect("the row exists");
    assert_eq!((stored.key.as_str(), stored.revision), (key, Revision(1)));
    assert_eq!(json(stored), serde_json::from_str::<Value>(fields).expect("the check writes JSON"));
}

/// Fields come back with numbers beyond 2^53 as they were, and odd keys are keys.
pub async fn a_row_is_loaded_as_it_was_written(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let fields = r#"{"text":"ünï \"\n","number":9007199254740993,"list":[1,{"deep":null}],"map":{}}"#;
    for key in ["plain", "with/slash", "ключ", " "] {
        comes_back(store, key, fields).await;
    }
}

/// Numbers at the ends of what there is, floats without a fraction, names that a store may want for itself, nesting.
pub async fn a_row_of_any_shape_is_loaded_as_it_was_written(store: &dyn RowStore) {
    prepare(store, &["number"]).await;
    let deep = format!("{{\"deep\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let fields = [
        "{}",
        r#"{"number":-0.0,"one":1.0,"tenth":0.1,"large":1.7976931348623157e308,"small":5e-324,"e":1e125,"f":1e126}"#,
        r#"{"number":18446744073709551615,"low":-9223372036854775808,"in":[1.0,{"a":2.0}],"mixed":[1,"1",true,null]}"#,
        r###"{"#":1,"##":2,"#k":"3","#p":4,"k":5,"key":6,"revision":7,"":8,"p":{"":1},"number":"text","a.b":[],"#x":{}}"###,
        r#"{"number":null,"empty":"","nul":"\u0000","lists":[[],[[]],{}],"name with spaces":0}"#,
        &deep,
        "[1,2.0,\"three\"]",
        "\"a text\"",
        "12.0",
        "null",
    ];
    for (place, fields) in fields.iter().enumerate() {
        comes_back(store, &format!("row {place}"), fields).await;
    }
}

/// Keys of one byte and of the limit, with any character. No key, and longer ones, are refused.
pub async fn a_row_key_is_any_text_up_to_its_limit(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    let longest = "k".repeat(MAX_ROW_KEY_BYTES);
    let wide = "😀".repeat(MAX_ROW_KEY_BYTES / 4);
    let odd =
        ["\0", "\0\u{1}", "a\u{0}b", "\u{10ffff}", "\u{7f}", "é", "e\u{301}", "#k", "\"", "'", "%2F", "a#b"];
    for key in odd.into_iter().chain([longest.as_str(), wide.as_str()]) {
        comes_back(store, key, r#"{"n":1}"#).await;
    }
    for key in [String::new(), longest + "k"] {
        let refused = store.write(&generation(), &one(row(&key, 0, Some("{}")))).await;
        assert!(matches!(refused, Err(RowError::Invalid { .. })), "got {refused:?}");
    }
}

/// An answer holds what exists, without an error for the rest.
pub async fn what_does_not_exist_is_left_out(store: &dyn RowStore) {
    prepare(store, &[]).await;
    assert_eq!(load(store, &["a", "b"], &["1", "2"]).await, LoadedRows::default());
    assert_eq!(load(store, &[], &[]).await, LoadedRows::default());
    add(store, "b", "{}").await;
    let loaded = load(store, &["a", "b"], &["1"]).await;
    assert_eq!(loaded.rows.len(), 1);
    assert!(loaded.versions.is_empty() && loaded.parked.is_empty());
}

/// A write on another revision, or on none, is lost and changes nothing.
pub async fn a_row_is_written_only_on_the_revision_expected(store: &dyn RowStore) {
    prepare(store, &[]).await;
    assert_eq!(write(store, &one(row("a", 1, Some("{}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 0, Some("{\"n\":1}")))).await, Written::Done);
    assert_eq!(write(store, &one(row("a", 0, Some("{\"n\":2}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 2, Some("{\"n\":3}")))).await, Written::Lost);
    let loaded = load(store, &["a"], &[]).await;
    assert_eq!(loaded.rows.first().map(|row| (row.revision, field(row, "n"))), Some((Revision(1), 1.into())));
    assert_eq!(write(store, &one(row("a", 1, Some("{\"n\":4}")))).await, Written::Done);
    // Versions of a stream leave out those that a batch went past.
    let far = RowWrite { revision: Revision(u64::MAX), ..row("a", 2, Some("{}")) };
    assert_eq!(write(store, &one(far)).await, Written::Done);
    assert_eq!(load(store, &["a"], &[]).await.rows.first().map(|row| row.revision), Some(Revision(u64::MAX)));
}

/// A row without fields is loaded and conditions hold on it, but it is not listed.
pub async fn a_deleted_row_keeps_its_revision(store: &dyn RowStore) {
    prepare(store, &[]).await;
    add(store, "a", "{}").await;
    assert_eq!(write(store, &one(row("a", 1, None))).await, Written::Done);
    let loaded = load(store, &["a"], &[]).await;
    let stored = loaded.rows.first().expect("the row is still known");
    assert_eq!((stored.revision, &stored.fields), (Revision(2), &None));
    shows("the deleted row is not listed", 0, async || list(store, None, 10).await.rows.len()).await;
    assert_eq!(write(store, &one(row("a", 0, Some("{}")))).await, Written::Lost);
    assert_eq!(write(store, &one(row("a", 2, Some("{}")))).await, Written::Done);
    shows("the row is listed again", 1, async || list(store, None, 10).await.rows.len()).await;
}

/// A row named as a stream is, the version of that stream and its being parked do not touch each other.
pub async fn rows_and_streams_of_one_name_are_apart(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let parked = Parked {
        stream: stream("1"),
        first_failing: Version(8),
        highest: Version(8),
        cause: Cause { kind: CauseKind::Panic, message: "odd".to_owned() },
        attempts: 1,
    };
    add(store, "account/1", "{}").await;
    store.park(&generation(), &parked).await.expect("the store keeps it");
    let version = VersionWrite { stream: stream("1"), version: Version(7), expect: Version(0) };
    let version = Transaction { rows: vec![row("account/1", 1, None)], versions: vec![version] };
    assert_eq!(write(store, &version).await, Written::Done);
    let loaded = load(store, &["account/1"], &["1"]).await;
    assert_eq!(loaded.versions, [(stream("1"), Version(7))]);
    assert_eq!(loaded.parked, [parked]);
    assert_eq!(loaded.rows.first().map(|row| row.revision), Some(Revision(2)));
    let unparked =
        store.unpark(&generation(), &stream("1"), Version(8)).await.expect("the store takes it out");
    assert_eq!(unparked, Written::Done);
    let loaded = load(store, &["account/1"], &["1"]).await;
    assert_eq!((loaded.versions.len(), loaded.parked.len(), loaded.rows.len()), (1, 0, 1));
}

fn version(id: &str, expect: u64, version: u64) -> VersionWrite {
    VersionWrite { stream: stream(id), version: Version(version), expect: Version(expect) }
}

/// One condition that does not hold, of a row or a version, undoes the whole transaction.
pub async fn a_transaction_is_written_whole_or_not_at_all(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let both = |rows, versions| Transaction { rows, versions };
    let first = both(vec![row("a", 0, Some("{}")), row("b", 0, Some("{}"))], vec![version("1", 0, 3)]);
    assert_eq!(write(store, &first).await, Written::Done);
    let bad_row = both(vec![row("a", 1, None), row("b", 0, None)], vec![version("1", 3, 4)]);
    assert_eq!(write(store, &bad_row).await, Written::Lost);
    for expect in [0, 2, 4] {
        let bad_version = both(vec![row("a", 1, None), row("b", 1, None)], vec![version("1", expect, 5)]);
        assert_eq!(write(store, &bad_version).await, Written::Lost);
    }
    let loaded = load(store, &["a", "b"], &["1"]).await;
    assert!(loaded.rows.iter().all(|row| row.revision == Revision(1) && row.fields.is_some()));
    assert_eq!(loaded.versions, [(stream("1"), Version(3))]);
    let only_version = both(Vec::new(), vec![version("1", 3, 5)]);
    assert_eq!(write(store, &only_version).await, Written::Done);
    assert_eq!(load(store, &[], &["1"]).await.versions, [(stream("1"), Version(5))]);
    assert_eq!(write(store, &Transaction::default()).await, Written::Done, "nothing is written at once");
}

/// More than a limit allows is an error before anything is written.
pub async fn a_transaction_over_a_limit_is_refused(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let rows = |count: usize, fields: &str| {
        let rows = (0..count).map(|n| row(&format!("{n:03}"), 0, Some(fields))).collect();
        Transaction { rows, versions: Vec::new() }
    };
    let twice = Transaction { rows: vec![row("000", 0, None), row("000", 0, None)], versions: Vec::new() };
    let version_twice =
        Transaction { rows: Vec::new(), versions: vec![version("1", 0, 1), version("1", 1, 2)] };
    let unfit = [
        rows(MAX_TRANSACTION_ITEMS + 1, "{}"),
        rows(1, &text(MAX_ROW_BYTES + 1)),
        rows(12, &text(MAX_TRANSACTION_BYTES / 12 + 1)),
    ];
    let tries = unfit.map(|transaction| (transaction, true)).into_iter();
    for (transaction, unfit) in tries.chain([(twice, false), (version_twice, false)]) {
        let refused = store.write(&generation(), &transaction).await;
        let named = match &refused {
            Err(RowError::Unfit { .. }) => unfit,
            Err(RowError::Invalid { .. }) => !unfit,
            _ => false,
        };
        assert!(named, "got {refused:?}");
        assert!(load(store, &["000"], &["1"]).await == LoadedRows::default());
    }
}

/// As much as the limits allow is written, whatever the rows are made of.
pub async fn a_transaction_at_the_limits_is_written(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    let dense = |bytes: usize| format!("{{\"n\":[{}1]}}", "1,".repeat((bytes - 10) / 2));
    let text = |bytes: usize| format!("{{\"n\":\"{}\"}}", "x".repeat(bytes - 8));
    for (kind, make) in [("d", &dense as &(dyn Fn(usize) -> String + Sync)), ("t", &text)] {
        let single = make(MAX_ROW_BYTES);
        let key = format!("{kind}{}", "k".repeat(MAX_ROW_KEY_BYTES - 1));
        add(store, &key, &single).await;
        let loaded = load(store, &[&key], &[]).await;
        assert_eq!(loaded.rows.first().map(json), serde_json::from_str(&single).ok());
        let fields = make(MAX_TRANSACTION_BYTES / MAX_TRANSACTION_ITEMS);
        let rows = (0..MAX_TRANSACTION_ITEMS).map(|n| row(&format!("{kind}{n:03}"), 0, Some(&fields)));
        let many = Transaction { rows: rows.collect(), versions: Vec::new() };
        assert_eq!(write(store, &many).await, Written::Done);
    }
}

/// Sixteen writers on the same revision: one is done, fifteen are lost.
pub async fn of_many_writers_on_one_revision_one_wins(store: &dyn RowStore) {
    prepare(store, &[]).await;
    for before in 0..4 {
        let transaction = one(row("a", before, Some("{}")));
        let writers = (0..16).map(|_| write(store, &transaction));
        let written = futures::future::join_all(writers).await;
        assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 1);
    }
}

/// Eight writers of the same transaction: one is done, seven are lost.
pub async fn of_many_transactions_over_the_same_rows_one_wins(store: &dyn RowStore) {
    prepare(store, &[]).await;
    for before in 0..3 {
        let transaction = Transaction {
            rows: vec![row("a", before, Some("{}")), row("b", before, Some("{}"))],
            versions: vec![version("1", before, before + 1)],
        };
        let writers = (0..8).map(|_| write(store, &transaction));
        let written = futures::future::join_all(writers).await;
        assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 1);
    }
}

/// Hundreds of rows and streams are loaded at once, each once.
pub async fn as_many_rows_as_are_wanted_are_loaded(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let ids: Vec<String> = (0..250).map(|n| format!("{n:03}")).collect();
    for chunk in ids.chunks(50) {
        let rows = chunk.iter().map(|id| RowWrite {
            key: id.clone(),
            fields: Some(Bytes::from(format!("{{\"id\":\"{id}\"}}"))),
            revision: Revision(1),
            expect: Expect::Absent,
        });
        let versions = chunk.iter().map(|id| version(id, 0, 1));
        let transaction = Transaction { rows: rows.collect(), versions: versions.collect() };
        assert_eq!(write(store, &transaction).await, Written::Done);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).chain(["absent"]).collect();
    let mut loaded = load(store, &ids, &ids).await;
    loaded.rows.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!((loaded.rows.len(), loaded.versions.len()), (250, 250));
    assert!(loaded.rows.iter().all(|row| field(row, "id") == row.key.as_str()));
    loaded.rows.dedup_by(|one, other| one.key == other.key);
    assert_eq!(loaded.rows.len(), 250);
}
