//! What every operation costs, in requests and capacity units, as the README says.

use headwater_projections::rows::{List, Query, Range, Written};
use headwater_projections::{AuditAction, AuditEntry, AuditTarget, RowStore, RowWrite, Transaction};

use super::backend::{Backend, generation, one, parked, prepared, row, stream, version, wanted};

const SMALL: &str = r#"{"balance":120,"owner":"Alice"}"#;

async fn write(backend: &Backend, transaction: Transaction) {
    assert_eq!(backend.rows.write(&generation(), &transaction).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn a_small_row_fed_by_one_stream_costs_one_unit_a_write() {
    let backend = prepared(&[]).await;
    for before in 0..3 {
        write(&backend, one(row("2378", before, SMALL))).await;
        backend.costs(&["PutItem"], 1.0);
    }
    write(&backend, one(RowWrite { fields: None, ..row("2378", 3, "") })).await;
    backend.costs(&["PutItem"], 1.0);
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(2_500));
    write(&backend, one(row("2378", 4, &large))).await;
    backend.costs(&["PutItem"], 3.0);
    write(&backend, Transaction { rows: vec![], versions: vec![version("1", 0, 3)] }).await;
    backend.costs(&["UpdateItem"], 1.0);
}

#[tokio::test]
async fn rows_fed_by_many_streams_cost_two_units_for_each_row_and_version() {
    let backend = prepared(&[]).await;
    let rows = vec![row("2026-11-23", 0, SMALL), row("2026-11-24", 0, SMALL)];
    write(&backend, Transaction { rows, versions: vec![version("1", 0, 3)] }).await;
    backend.costs(&["TransactWriteItems"], 6.0);
    write(&backend, Transaction::default()).await;
    backend.costs(&[], 0.0);
}

#[tokio::test]
async fn rows_that_are_added_are_25_to_a_request_and_cost_what_a_write_costs() {
    let backend = prepared(&["owner"]).await;
    let plain = |n: u32| one(row(&format!("{n:02}"), 0, r#"{"balance":120}"#));
    let all: Vec<Transaction> = (0..60).map(plain).collect();
    let answers = backend.rows.add(&generation(), &all).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Written::Done))));
    backend.costs(&["BatchExecuteStatement"; 3], 60.0);
    let indexed = one(row("indexed", 0, SMALL));
    assert!(backend.rows.add(&generation(), &[indexed]).await.iter().all(Result::is_ok));
    backend.costs(&["BatchExecuteStatement"], 2.0);
    let one_there = backend.rows.add(&generation(), &[plain(7), plain(77)]).await;
    assert!(matches!(one_there.as_slice(), [Ok(Written::Lost), Ok(Written::Done)]));
    backend.costs(&["BatchExecuteStatement"], 2.0);
    let versions =
        (0..30).map(|n| Transaction { rows: vec![], versions: vec![version(&n.to_string(), 0, 3)] });
    assert!(backend.rows.add(&generation(), &versions.collect::<Vec<_>>()).await.iter().all(Result::is_ok));
    backend.costs(&["BatchExecuteStatement"; 2], 30.0);
}

#[tokio::test]
async fn a_write_that_loses_costs_no_read() {
    let backend = prepared(&[]).await;
    write(&backend, one(row("a", 0, SMALL))).await;
    let _ = backend.wire.bill();
    assert_eq!(backend.rows.write(&generation(), &one(row("a", 0, SMALL))).await.unwrap(), Written::Lost);
    assert_eq!(backend.wire.bill().0, ["PutItem"]);
}

#[tokio::test]
async fn an_index_costs_only_when_the_value_changes() {
    let backend = prepared(&["balance", "owner"]).await;
    for (before, fields, units) in [
        (0, r#"{"balance":120,"owner":"Alice"}"#, 3.0),
        (1, r#"{"balance":120,"owner":"Alice","more":1}"#, 1.0),
        (2, r#"{"balance":130,"owner":"Alice","more":2}"#, 3.0),
        (3, r#"{"balance":130,"more":3}"#, 2.0),
        (4, r#"{"balance":null}"#, 2.0),
        (5, r#"{}"#, 1.0),
    ] {
        write(&backend, one(row("a", before, fields))).await;
        backend.costs(&["PutItem"], units);
    }
}

#[tokio::test]
async fn a_stream_that_is_not_in_memory_costs_a_unit_for_its_row_and_one_for_itself() {
    let backend = prepared(&[]).await;
    backend.rows.load(&generation(), &wanted(&["1"], &["1"])).await.unwrap();
    backend.costs(&["BatchGetItem"], 2.0);
    write(&backend, one(row("1", 0, SMALL))).await;
    let _ = backend.wire.bill();
    backend.rows.load(&generation(), &wanted(&["1"], &[])).await.unwrap();
    backend.costs(&["BatchGetItem"], 1.0);
    let many: Vec<String> = (0..150).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    backend.rows.load(&generation(), &wanted(&many, &many)).await.unwrap();
    backend.costs(&["BatchGetItem"; 3], 300.0);
    backend.rows.load(&generation(), &wanted(&[], &[])).await.unwrap();
    backend.costs(&[], 0.0);
}

#[tokio::test]
async fn one_value_of_an_index_is_one_query_and_a_range_is_one_for_each_bucket() {
    let backend = prepared(&["balance", "owner"]).await;
    for n in 0..40 {
        let fields = format!("{{\"balance\":{},\"owner\":\"{}\"}}", n * 10, n % 10);
        write(&backend, one(row(&format!("{n:02}"), 0, &fields))).await;
    }
    let _ = backend.wire.bill();
    let alice = Query::new("owner").range(Range::equals("3"));
    assert_eq!(backend.rows.query(&generation(), &alice).await.unwrap().rows.len(), 4);
    backend.costs(&["Query", "BatchGetItem"], 0.5 + 4.0);
    let nobody = Query::new("owner").range(Range::equals("x"));
    assert!(backend.rows.query(&generation(), &nobody).await.unwrap().rows.is_empty());
    backend.costs(&["Query"], 0.5);
    let rich = Query::new("balance").range(Range::from(300)).limit(100);
    assert_eq!(backend.rows.query(&generation(), &rich).await.unwrap().rows.len(), 10);
    let mut requests = vec!["Query"; 16];
    requests.push("BatchGetItem");
    backend.costs(&requests, 16.0 * 0.5 + 10.0);
}

#[tokio::test]
async fn a_page_of_rows_costs_one_query_for_each_bucket() {
    let backend = prepared(&[]).await;
    for n in 0..40 {
        write(&backend, one(row(&format!("{n:02}"), 0, SMALL))).await;
    }
    let _ = backend.wire.bill();
    let page = backend.rows.list(&generation(), &List { after: None, limit: 100 }).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (40, None));
    backend.costs(&["Query"; 16], 16.0);
}

#[tokio::test]
async fn parking_costs_one_unit_more_for_the_index_and_raising_does_not() {
    let backend = prepared(&[]).await;
    backend.rows.park(&generation(), &parked("1", 2, 2)).await.unwrap();
    backend.costs(&["UpdateItem"], 2.0);
    backend.rows.park(&generation(), &parked("1", 2, 3)).await.unwrap();
    backend.costs(&["UpdateItem"], 1.0);
    let unparked = backend.rows.unpark(&generation(), &stream("1"), parked("1", 2, 3).first_failing).await;
    assert_eq!(unparked.unwrap(), Written::Done);
    backend.costs(&["UpdateItem"], 2.0);
    let entry = AuditEntry {
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
        who: "operator".to_owned(),
        action: AuditAction::Retry,
        target: AuditTarget::Stream {
            stream: stream("1"),
            from: version("1", 0, 2).version,
            until: version("1", 0, 3).version,
        },
        reason: "fixed".to_owned(),
    };
    backend.rows.audit(&generation(), &entry).await.unwrap();
    backend.costs(&["PutItem"], 1.0);
    let audits = backend.rows.audits(&generation(), &List { after: None, limit: 10 }).await.unwrap();
    assert_eq!(audits.entries, [entry]);
    backend.costs(&["Query"], 1.0);
}

#[tokio::test]
async fn a_process_looks_at_a_table_once() {
    let backend = prepared(&["balance"]).await;
    let elsewhere = headwater_projections_dynamodb::DynamoRows::new(&backend.client, backend.config.clone());
    for before in 0..3 {
        let written = elsewhere.write(&generation(), &one(row("a", before, SMALL))).await.unwrap();
        assert_eq!(written, Written::Done);
    }
    assert_eq!(backend.wire.bill().0, ["DescribeTable", "PutItem", "PutItem", "PutItem"]);
    let found =
        backend.rows.query(&generation(), &Query::new("balance").range(Range::equals(120))).await.unwrap();
    assert_eq!(found.rows.len(), 1, "who does not prepare writes the indexes all the same");
}
