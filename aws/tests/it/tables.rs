//! Making and checking tables.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{BillingMode, ProvisionedThroughput};
use headwater_aws::tables::{Difference, Index, Key, Table};
use headwater_local::{Local, Options};

/// A look-alike of DynamoDB and a client for it.
async fn dynamodb() -> (Local, Client) {
    let local = Local::start(Options::default()).await.unwrap();
    let client = headwater_aws::testing::dynamodb(local.dynamodb_url());
    (local, client)
}

fn plain() -> Table {
    Table::new("things", "a table of things", Key::text("s")).sort(Key::number("v"))
}

fn indexed() -> Table {
    let by_owner = Index::keys_only("by-owner", Key::text("owner")).sort(Key::number("age"));
    plain().index(by_owner).index(Index::all("by-color", Key::text("color")))
}

#[tokio::test]
async fn a_missing_table_is_made_once() {
    let (_local, client) = dynamodb().await;
    let missing = vec![Difference::Missing { table: "things".to_owned() }];
    assert_eq!(indexed().check(&client).await.unwrap(), missing);
    assert_eq!(indexed().apply(&client).await.unwrap(), missing);
    assert_eq!(indexed().check(&client).await.unwrap(), []);
    assert_eq!(indexed().apply(&client).await.unwrap(), []);
}

#[tokio::test]
async fn two_who_make_it_at_once_both_succeed() {
    let (_local, client) = dynamodb().await;
    let (table, same) = (indexed(), indexed());
    let (one, other) = tokio::join!(table.apply(&client), same.apply(&client));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn missing_indexes_are_added_one_after_the_other() {
    let (_local, client) = dynamodb().await;
    plain().apply(&client).await.unwrap();
    let missing = |index: &str| Difference::MissingIndex { table: "things".into(), index: index.into() };
    let wanted = vec![missing("by-owner"), missing("by-color")];
    assert_eq!(indexed().check(&client).await.unwrap(), wanted);
    assert_eq!(indexed().apply(&client).await.unwrap(), wanted);
    assert_eq!(indexed().check(&client).await.unwrap(), []);
}

#[tokio::test]
async fn a_table_that_is_paid_by_provision_is_changed() {
    let (_local, client) = dynamodb().await;
    plain().apply(&client).await.unwrap();
    let provision = ProvisionedThroughput::builder().read_capacity_units(1).write_capacity_units(1).build();
    let change = client.update_table().table_name("things").billing_mode(BillingMode::Provisioned);
    change.provisioned_throughput(provision.unwrap()).send().await.unwrap();
    let wrong = vec![Difference::Billing { table: "things".to_owned() }];
    assert_eq!(plain().apply(&client).await.unwrap(), wrong);
    assert_eq!(plain().check(&client).await.unwrap(), []);
}

#[tokio::test]
async fn a_table_of_something_else_is_refused() {
    let (_local, client) = dynamodb().await;
    let other = Table::new("things", "something else", Key::text("name")).sort(Key::number("number"));
    other.apply(&client).await.unwrap();
    let error = plain().apply(&client).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "table things has the key (name HASH S, number RANGE N), not (s HASH S, v RANGE N): use another prefix"
    );
}

#[tokio::test]
async fn an_index_of_something_else_is_refused() {
    let (_local, client) = dynamodb().await;
    plain().index(Index::all("by-owner", Key::number("owner"))).apply(&client).await.unwrap();
    let error = indexed().apply(&client).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "index by-owner of table things is (owner HASH N, ALL), not (owner HASH S, age RANGE N, KEYS_ONLY): delete \
         the index to have it made anew"
    );
}
