//! Tables: which there are, what is odd in them, and what is not there.

use std::error::Error;

use aws_sdk_dynamodb::types::AttributeValue;
use headwater_projections::rows::{Generation, Query, RowError, Wanted, Written};
use headwater_projections::{Parked, RowStore};
use headwater_projections_dynamodb::DynamoRows;

use super::backend::{generation, one, parked, prepared, row, wanted};

#[tokio::test]
async fn a_generation_has_a_table_named_after_it_paid_by_request() {
    let backend = prepared(&["balance", "opened at"]).await;
    let table =
        backend.client.describe_table().table_name(backend.table()).send().await.unwrap().table.unwrap();
    assert_eq!(table.table_name(), Some(format!("{}-accounts-g1", backend.config.prefix).as_str()));
    let billing = table.billing_mode_summary().and_then(|summary| summary.billing_mode()).unwrap();
    assert_eq!(billing.as_str(), "PAY_PER_REQUEST");
    let mut indexes: Vec<_> =
        table.global_secondary_indexes().iter().filter_map(|i| i.index_name()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, ["by.balance", "by.opened.20at", "parked"]);
}

#[tokio::test]
async fn a_generation_that_was_not_made_is_named_with_what_to_do() {
    let backend = prepared(&[]).await;
    let absent = Generation::new("accounts", 7);
    let wanted = Wanted { rows: ["a".to_owned()].into(), ..Wanted::default() };
    let load = backend.rows.load(&absent, &wanted).await.unwrap_err();
    let write = backend.rows.write(&absent, &one(row("a", 0, "{}"))).await.unwrap_err();
    let query = backend.rows.query(&absent, &Query::new("n")).await.unwrap_err();
    for error in [load, write, query] {
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("-accounts-g7 does not exist") && cause.contains("make it"), "{cause}");
    }
}

#[tokio::test]
async fn too_many_indexes_are_refused_before_anything_is_made() {
    let backend = prepared(&[]).await;
    let names: Vec<String> = (0..20).map(|n| format!("field{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let other = Generation::new("accounts", 2);
    let error = backend.rows.prepare(&other, &names).await.unwrap_err();
    assert!(matches!(error, RowError::Invalid { .. }), "{error}");
    assert!(backend.wire.bill().0.is_empty());
    backend.rows.prepare(&other, &names[1..]).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let backend = prepared(&[]).await;
    let parked: Parked = parked("1", 2, 2);
    assert_eq!(backend.rows.write(&generation(), &one(row("a", 0, "{}"))).await.unwrap(), Written::Done);
    backend.rows.park(&generation(), &parked).await.unwrap();
    let items = backend.client.scan().table_name(backend.table()).send().await.unwrap();
    for item in items.items() {
        let mut item = item.clone();
        item.insert("#r".to_owned(), AttributeValue::S("one".to_owned()));
        item.insert("#h".to_owned(), AttributeValue::S("two".to_owned()));
        backend.client.put_item().table_name(backend.table()).set_item(Some(item)).send().await.unwrap();
    }
    for (rows, streams, key) in [(&["a"][..], &[][..], "a"), (&[], &["1"], "account/1")] {
        let error = backend.rows.load(&generation(), &wanted(rows, streams)).await.unwrap_err();
        assert!(matches!(&error, RowError::Corrupt { key: named, .. } if named == key), "{error}");
    }
}

#[tokio::test]
async fn an_entry_of_an_index_that_is_behind_its_row_is_not_shown() {
    let backend = prepared(&["n"]).await;
    assert_eq!(
        backend.rows.write(&generation(), &one(row("a", 0, r#"{"n":1}"#))).await.unwrap(),
        Written::Done
    );
    let items = backend.client.scan().table_name(backend.table()).send().await.unwrap();
    let mut item = items.items()[0].clone();
    // The row has moved on, and the index has not heard of it.
    item.insert("n".to_owned(), AttributeValue::N("2".to_owned()));
    backend.client.put_item().table_name(backend.table()).set_item(Some(item)).send().await.unwrap();
    let page = backend.rows.query(&generation(), &Query::new("n")).await.unwrap();
    assert!(page.rows.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn a_store_that_knew_a_dropped_table_finds_the_new_one_when_it_prepares() {
    let backend = prepared(&[]).await;
    let elsewhere = DynamoRows::new(&backend.client, backend.config.clone());
    elsewhere.drop_generation(&generation()).await.unwrap();
    elsewhere.prepare(&generation(), &["n"]).await.unwrap();
    backend.rows.prepare(&generation(), &["n"]).await.unwrap();
    assert_eq!(
        backend.rows.write(&generation(), &one(row("a", 0, r#"{"n":1}"#))).await.unwrap(),
        Written::Done
    );
    assert_eq!(elsewhere.query(&generation(), &Query::new("n")).await.unwrap().rows.len(), 1);
}
